#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "dnsd/store/database.h"
#include "dnsd/store/store.h"

namespace meshdns::store {

/// One SQLite file (write-ahead log), held by this process alone, readable by its owner alone.
/// A damaged file is renamed to "<path>.corrupt-<unix seconds of the opening>"; at the start, objects that can be
/// proved whole are carried over. While the file cannot be written each put tries again, from opening it if need be.
///
/// SQLite reads a log up to its first damaged frame and calls that the database. So objects, which were promised, do
/// not stay in the log: it is written into the file, and emptied, with each of their transactions and at each opening.
/// Records stay in the log for as long as it is short. Every transaction counts itself (Written), so that records which
/// went with the log are missed.
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

  /// What the file holds, by whatever way it can be had.
  Result<Contents> load();
  Result<Contents> load_to_write();
  Result<Contents> load_to_read(const Error& why);
  Result<Contents> replace(const Error& damage);
  /// A connection that can be written to, when `database_` has none or lost its file.
  Result<void> attach();
  Result<void> write(Kind kind, const Work& work);
  Result<void> run(Kind kind, const Work& work);
  /// What the caller is told, after what has to be done about it.
  Error after_failure(const Error& error);
  Error begin_again(const Error& damage);
  Error described(const Error& error) const;

  std::string path_;
  std::optional<Database> database_;  // nothing = the next write opens it
  bool existed_ = false;              // so a file that is gone now was lost
  bool epoch_stored_ = false;
  std::uint64_t epoch_ = 0;  // 0 = not open
  std::int64_t opened_at_ = 0;
  std::atomic<std::uint64_t> transactions_ = 0;
  std::atomic<std::uint64_t> of_objects_ = 0;
};

}  // namespace meshdns::store
