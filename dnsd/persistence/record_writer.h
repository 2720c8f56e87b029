#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dnsd/catalog/catalog.h"
#include "dnsd/persistence/stored_record.h"
#include "dnsd/persistence/unwritten_records.h"
#include "dnsd/store/store.h"

namespace meshdns::persistence {

/// A record of the store's own: what the zones' serial was.
inline constexpr const char* kSerialRecord = "Serial";

/// Brings what changes in a catalog into its store: later, in the newest version only, and in slices, so that no number
/// of changes holds the control thread for longer than one slice takes.
///
/// How it works: the first change starts a timer; when it fires, a round of UnwrittenRecords begins. Each turn encodes
/// one slice, hands it to the store and comes back later, as long as at most `ahead` rows wait for the disk; then the
/// store's verdicts set the pace. What is not encoded yet waits as a name, so the queue does not grow with the mesh.
/// While the store cannot be written nothing more is handed over, and what it has is tried again with each `lazily`.
/// thread: that of the timers
class RecordWriter {
 public:
  struct Sizes {
    std::size_t slice = 1000;    // records in one turn: a few milliseconds
    std::size_t ahead = 20'000;  // rows that the store has not written yet
    std::size_t last = 100'000;  // records that the end hands over: as many as are written while it is waited for
    Duration lazily = 1s;        // from a change to its write
  };
  using Done = std::function<void(Result<void>)>;
  /// Hands rows to a store, as StoreThread::put_records().
  using Put = std::function<void(std::vector<store::StoredRecord>, std::vector<store::RecordKey>, Done)>;
  struct Environment {
    Timers& timers;
    const Clock& clock;
    const catalog::Catalog& catalog;
    Put put;
    std::function<void(const Result<void>&)> verdict;  // hears how each write went
    DigestOf digest_of = {};
  };

  explicit RecordWriter(Environment environment) : RecordWriter(std::move(environment), Sizes{}) {}
  RecordWriter(Environment environment, const Sizes& sizes) : env_(std::move(environment)), sizes_(sizes) {}
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;
  ~RecordWriter() { stop(); }

  void changed(catalog::RecordType type, const std::string& key);
  /// All records are written anew.
  void everything();
  /// Something could not be written: the store is asked again, though nothing may change.
  void retry();
  /// Hands over what is left, at once, at most Sizes::last records. Nothing is written later.
  void finish();

 private:
  void stop();
  void come_back(Duration delay);
  /// Plans the next turn, if there is anything to do in it and none is planned.
  void go_on();
  void turn();
  /// Hands the next records of the round to the store, at most `most`, and the serial.
  /// returns: how many records
  std::size_t write(std::size_t most);
  void written(std::size_t rows, const Result<void>& result);
  store::StoredRecord serial_record() const;

  Environment env_;
  Sizes sizes_;
  UnwrittenRecords unwritten_;
  std::optional<TimerId> timer_;
  std::size_t ahead_ = 0;         // rows handed over, not written yet
  std::size_t failed_ahead_ = 0;  // of these, the rows of failed calls: they go with the next one
  bool failing_ = false;
  bool serial_shown_ = false;  // there is a revision that no write was told of
};

}  // namespace meshdns::persistence
