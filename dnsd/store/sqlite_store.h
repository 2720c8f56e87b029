#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "dnsd/store/database.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// A store in one SQLite file with a write-ahead log. Only this process may open the file, only its owner may read it.
/// A damaged file is renamed to "<path>.corrupt-<unix seconds of the opening>"; at the start, the objects are carried
/// over if they are provably complete. While the file cannot be written, each put tries again, and opens the file again
/// if necessary.
///
/// How it works: SQLite reads a log up to its first damaged frame and takes the rest as never written. Objects were
/// promised to be durable, so they must not stay in the log: each of their transactions, and each opening, writes the
/// log into the file and empties it. Records stay in the log while the log is short. Each transaction counts itself
/// (Written), so that the loss of records with a damaged log is noticed.
///
///   put_objects: transaction -> log -> file (checkpoint), log empty      put_records: transaction -> log
class SqliteStore : public Store {
 public:
  explicit SqliteStore(std::string path) : path_(std::move(path)) {}

  Result<Contents> open(std::int64_t unix_seconds) override;
  Result<void> put_objects(const std::vector<StoredObject>& put, const std::vector<std::string>& erase) override;
  Result<void> put_records(const std::vector<StoredRecord>& put, const std::vector<RecordKey>& erase) override;
  Written written() const override { return {transactions_, of_objects_}; }

 private:
  enum class Kind : std::uint8_t { Opening, Objects, Records };
  using Work = std::function<Result<void>(Database&)>;

  /// Returns the content of the file: opened to write, else to read, else salvaged into a new file.
  Result<Contents> load();
  Result<Contents> load_to_write();
  Result<Contents> load_to_read(const Error& why);
  Result<Contents> replace(const Error& damage);
  /// Opens the file for writing if there is no connection, or if the file is no longer at its path.
  Result<void> attach();
  Result<void> write(Kind kind, const Work& work);
  Result<void> run(Kind kind, const Work& work);
  /// Recovers from a failed write as far as possible.
  /// returns: the error for the caller
  Error after_failure(const Error& error);
  Error begin_again(const Error& damage);
  Error described(const Error& error) const;

  std::string path_;
  std::optional<Database> database_;  // nothing = the next write opens the file
  bool existed_ = false;              // there was a file: if it is gone now, it was lost
  bool epoch_stored_ = false;
  std::uint64_t epoch_ = 0;  // 0 = not open
  std::int64_t opened_at_ = 0;
  std::atomic<std::uint64_t> transactions_ = 0;
  std::atomic<std::uint64_t> of_objects_ = 0;
};

}  // namespace meshdns::store
