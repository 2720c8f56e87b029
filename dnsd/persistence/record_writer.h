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

/// The type of the store's own record that holds the serial of the zones.
inline constexpr const char* kSerialRecord = "Serial";

/// Writes changed records of a catalog to its store: about a second later, in the newest version only, and in slices,
/// so that any number of changes blocks the control thread for one slice at a time.
///
/// How it works: the first change starts a timer. When the timer fires, a round of UnwrittenRecords begins. Each turn
/// encodes one slice and hands it to the store; the next turn follows soon, as long as at most `ahead` rows wait for
/// the disk. Beyond that the next turn waits until the store has written rows. A record that is not encoded yet waits
/// as a name, which takes little memory. While the store cannot be written, no more rows are handed over, and the store
/// is asked once in `lazily` to try again.
/// thread: that of the timers
class RecordWriter {
 public:
  struct Sizes {
    std::size_t slice = 1000;    // records in one turn: a few milliseconds
    std::size_t ahead = 20'000;  // rows that may wait for the disk
    std::size_t last = 100'000;  // records that finish() hands over; more could not be written while a stop waits
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
    std::function<void(const Result<void>&)> verdict;  // hears the result of each write
    DigestOf digest_of = {};
  };

  /// The references in `environment` must outlive the writer.
  explicit RecordWriter(Environment environment) : RecordWriter(std::move(environment), Sizes{}) {}
  RecordWriter(Environment environment, const Sizes& sizes) : env_(std::move(environment)), sizes_(sizes) {}
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;
  ~RecordWriter() { stop(); }

  /// Writes the record in the next round; erases its row if the record is gone or must not be stored.
  void changed(catalog::RecordType type, const std::string& key);
  /// Writes all records again.
  void everything();
  /// Asks the store again after a failed write, even if no record changes.
  void retry();
  /// Hands over the remaining records at once, at most Sizes::last of them. Nothing is written later.
  void finish();

 private:
  void stop();
  void come_back(Duration delay);
  /// Plans the next turn if there is anything to do and none is planned.
  void go_on();
  void turn();
  /// Hands the next records of the round, at most `most`, and the serial to the store.
  /// returns: the number of records
  std::size_t write(std::size_t most);
  void written(std::size_t rows, const Result<void>& result);
  store::StoredRecord serial_record() const;

  Environment env_;
  Sizes sizes_;
  UnwrittenRecords unwritten_;
  std::optional<TimerId> timer_;
  std::size_t ahead_ = 0;         // rows that were handed over and are not written yet
  std::size_t failed_ahead_ = 0;  // the part of ahead_ whose calls failed: the store writes it with the next call
  bool failing_ = false;          // the last answer of the store was a failure, or retry() says that it may fail
  bool asking_ = false;           // a call that asks the store to try again has no answer yet
  bool serial_shown_ = false;     // the serial has changed since it was handed over
};

}  // namespace meshdns::persistence
