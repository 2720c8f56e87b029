#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace meshdns::store {

/// What an operator applied. `body` is the encoded v1::Object, verbatim.
struct StoredObject {
  std::string key;  // "VirtualDestination/shop/app-b"
  std::string body;

  friend bool operator==(const StoredObject&, const StoredObject&) = default;
};

/// What an agent reported last, to be published as provisional after a start.
struct StoredRecord {
  std::string type;  // "Node", "Endpoint"
  std::string key;
  std::string body;
  std::int64_t unix_seconds = 0;  // when it was encoded
  // An endpoint's part of the sum by which its agent and the federation compare what they have (Heartbeat.digest), as
  // of this body; 0 = not known.
  std::uint64_t digest = 0;

  friend bool operator==(const StoredRecord&, const StoredRecord&) = default;
};

/// Type and key of a record.
using RecordKey = std::pair<std::string, std::string>;

/// How many transactions a store has taken since it was begun. The store counts them inside of itself, so that who
/// has noted the numbers elsewhere finds a store that has lost its last transactions, and looks whole all the same.
struct Written {
  std::uint64_t transactions = 0;
  std::uint64_t of_objects = 0;  // among them

  friend bool operator==(const Written&, const Written&) = default;
};
/// "<transactions> <of objects>", as a store and what stands beside it keep it.
std::string written_text(const Written& written);
/// Reads that back; nothing was written where it is no such text.
Written written_of(std::string_view text);

/// What a store holds when it is opened, in the order of the keys.
struct Contents {
  std::uint64_t epoch = 0;         // of this opening
  std::uint64_t stored_epoch = 0;  // of the last opening that the store knows of
  Written written;                 // before this opening
  std::vector<StoredObject> objects;
  std::vector<StoredRecord> records;
  bool begun = false;         // there was no file: a first start, or its disk was lost
  bool records_lost = false;  // damage was found: the records are gone, whatever became of the objects
  bool rebuilt = false;  // damage was found and the objects are lost: additive only, until somebody puts objects again
  std::string note;      // for the log: what is wrong with the store; empty = nothing
};

/// The federation's durable memory.
/// thread: one at a time; every call may wait for the disk, so none of them on a thread that serves (StoreThread)
class Store {
 public:
  virtual ~Store() = default;

  /// Everything, and a new epoch: max(stored, unix seconds) + 1, stored before it is returned. Where nothing can be
  /// written the contents come all the same, with a note, and the first write that works stores the epoch.
  /// errors: FailedPrecondition = written by a newer meshdnsd, or no store at all: untouched; or what is there cannot
  ///         be looked at, and must not be taken for nothing.
  ///         Unavailable = in use by another process (named), or unreadable
  virtual Result<Contents> open(std::int64_t unix_seconds) = 0;

  /// Durable when it returns: all or nothing. What is in both is put. Later damage of a log beside the store takes
  /// nothing of it back.
  /// errors: Unavailable = nothing was written (disk full, read-only ...); a later call tries everything anew.
  ///         DataLoss = the store was damaged or removed and a new, empty one is begun: hand it everything again
  virtual Result<void> put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) = 0;

  /// One transaction, lazily: it may be lost when the machine crashes, but never half of it. Errors as above.
  virtual Result<void> put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) = 0;

  /// As of the last transaction. thread: any
  virtual Written written() const { return {}; }
};

}  // namespace meshdns::store
