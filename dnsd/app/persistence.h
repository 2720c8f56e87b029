#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/process/event_loop.h"
#include "dnsd/app/configuration.h"
#include "dnsd/app/objects.h"
#include "dnsd/app/reminder.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/store/store_thread.h"

namespace meshdns::app {

/// What a federation keeps over restarts: operators' objects before they are acknowledged, the last-known nodes and
/// endpoints lazily. While the disk cannot be written, memory goes on and writing is tried again.
/// thread: the loop's
class Persistence {
 public:
  static constexpr Duration kLazily = 1s;

  Persistence(process::EventLoop& loop, const Clock& clock, catalog::Catalog& catalog, Objects& objects);
  ~Persistence();

  /// Opens the store of the configuration and fills catalog and objects from it.
  /// known_node: told of every node that was restored: its agent is expected back
  /// errors: the store cannot be used: it is a newer version's, or in use, or cannot be made
  Result<void> open(const Configuration& configuration, const std::function<void(const std::string&)>& known_node);

  /// Of the federation's records: greater than at any start before.
  std::uint64_t epoch() const { return epoch_; }
  /// Stores a checked change and then makes it true. done: nothing was changed if it failed
  void apply(Objects::Change change, std::function<void(Result<void>)> done);
  /// The catalog has a new revision: written within kLazily.
  void records_changed();
  /// Why the last write failed; empty = it did not.
  const std::string& trouble() const { return trouble_; }

 private:
  void restore_objects(const store::Contents& contents);
  void restore_records(const store::Contents& contents, const std::function<void(const std::string&)>& known_node);
  void restore_record(const store::StoredRecord& record, TimePoint since);
  void write_records();
  void write_everything();
  std::optional<store::StoredRecord> stored(catalog::RecordType type, const std::string& key) const;
  void note(const Result<void>& result);

  process::EventLoop& loop_;
  const Clock& clock_;
  catalog::Catalog& catalog_;
  Objects& objects_;
  std::unique_ptr<store::StoreThread> thread_;
  std::uint64_t epoch_ = 0;
  std::uint64_t written_revision_ = 0;
  std::optional<TimerId> timer_;
  std::string trouble_;
  Reminder reminder_;
};

}  // namespace meshdns::app
