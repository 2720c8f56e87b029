#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace meshdns::store {

/// An object that an operator applied. `body` is the encoded v1::Object, verbatim.
struct StoredObject {
  std::string key;  // "VirtualDestination/shop/app-b"
  std::string body;

  friend bool operator==(const StoredObject&, const StoredObject&) = default;
};

/// A record in the version that its agent reported last. It is published as provisional after a start.
struct StoredRecord {
  std::string type;  // "Node", "Endpoint"
  std::string key;
  std::string body;
  std::int64_t unix_seconds = 0;  // when it was encoded
  // The endpoint's part of the sum by which its agent and the federation compare their records (Heartbeat.digest), for
  // this body; 0 = not known.
  std::uint64_t digest = 0;

  friend bool operator==(const StoredRecord&, const StoredRecord&) = default;
};

/// The type and key of a record.
using RecordKey = std::pair<std::string, std::string>;

/// The number of transactions that a store has taken since it was begun. The store counts them inside itself. A caller
/// that keeps the numbers elsewhere, too, recognizes a store that has lost its last transactions and looks complete.
struct Written {
  std::uint64_t transactions = 0;
  std::uint64_t of_objects = 0;  // among them

  friend bool operator==(const Written&, const Written&) = default;
};
/// Returns "<transactions> <of objects>", as the store and the .state file keep it.
std::string written_text(const Written& written);
/// Returns the numbers in such a text; zero transactions if it is no such text.
Written written_of(std::string_view text);

/// The content of a store when it is opened, in the order of the keys.
struct Contents {
  std::uint64_t epoch = 0;         // of this opening
  std::uint64_t stored_epoch = 0;  // of the last opening that is stored
  Written written;                 // before this opening
  std::vector<StoredObject> objects;
  std::vector<StoredRecord> records;
  bool begun = false;         // there was no file: first start, or the disk was lost
  bool records_lost = false;  // damage was found: the records are gone, the objects perhaps not
  bool rebuilt = false;       // the objects are lost: sets are additive until objects are put again
  std::string note;           // for the log: what is wrong with the store; empty = nothing
};

/// The federation's durable memory: operators' objects, and the records that agents reported last. Used by dnsd/app,
/// through StoreThread after the opening.
/// thread: one at a time. Every call may wait for the disk, so no thread that serves may make it (StoreThread)
class Store {
 public:
  virtual ~Store() = default;

  /// Opens the store and returns its content and a new epoch: max(stored, unix seconds) + 1, stored before it is
  /// returned. If nothing can be written, returns the content all the same, with a note; the first write that works
  /// then stores the epoch.
  /// errors: FailedPrecondition = written by a newer meshdnsd, or no store at all: the file is untouched; or the path
  ///         cannot be examined, and must not be taken for an empty store.
  ///         Unavailable = in use by another process (named), or unreadable
  virtual Result<Contents> open(std::int64_t unix_seconds) = 0;

  /// Writes and erases objects in one transaction, which is durable when the call returns. A key in both lists is put.
  /// Later damage of the log does not revert it.
  /// errors: Unavailable = nothing was written (disk full, read-only ...); a later call tries again from the beginning.
  ///         DataLoss = the store was damaged or removed and a new, empty one is begun: put everything again
  virtual Result<void> put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) = 0;

  /// Writes and erases records in one transaction, which a crash of the machine may revert, but only as a whole. Errors
  /// as above.
  virtual Result<void> put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) = 0;

  /// Returns the transactions so far.
  /// thread: any
  virtual Written written() const { return {}; }
};

}  // namespace meshdns::store
