#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/log/reminder.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/recovery.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/persistence/record_writer.h"
#include "dnsd/persistence/store_marker.h"
#include "dnsd/snapshot_file/worker_thread.h"
#include "dnsd/store/store_thread.h"

namespace meshdns::persistence {

/// What a federation keeps over restarts: operators' objects before they are acknowledged, the last-known nodes and
/// endpoints lazily. While the disk cannot be written, memory goes on and writing is tried again. A store that is lost,
/// though this federation has run before, is replaced by the newest snapshot beside it.
/// thread: the loop's
class Persistence {
 public:
  /// So many revisions may have been shown beyond what was written; the serial goes on behind them.
  static constexpr std::uint32_t kMostUnwritten = 1U << 16;
  /// How often the marker beside the store notes how many transactions of records there were; those of objects are
  /// noted at once.
  static constexpr Duration kMarkInterval = 30s;

  /// Hands work to the control thread.
  using Post = std::function<void(std::function<void()>)>;

  Persistence(Timers& timers, Post post, const Clock& clock, catalog::Catalog& catalog, Objects& objects);
  ~Persistence();
  /// Hands to the store what is not stored yet. Nothing that changes later is stored.
  /// requires: what Digests ask still lives
  void finish();

  /// Links the store with what the federation knows of its agents' own counts, so that after a restart an agent whose
  /// records are all here need not send them again.
  struct Digests {
    DigestOf of;  // an endpoint as it is in the catalog now
    std::function<void(const model::Endpoint&, std::uint64_t digest)> restored;
  };

  struct Place {
    std::string folder;    // data_dir
    std::string database;  // its path, from the folder on; empty = nothing is kept on a disk
  };

  /// Opens the store and fills catalog and objects from it.
  /// errors: the store cannot be used: it is a newer version's, or in use, or cannot be made
  Result<void> open(const Place& place, Digests digests);
  /// An agent has sent the record anew: what it counts for may be different though the record is not.
  void told(const std::string& endpoint) {
    if (writer_) writer_->changed(catalog::RecordType::Endpoint, endpoint);
  }

  using Kept = federation::Recovery::Store;
  Kept kept() const { return kept_; }
  /// What is known of a lost store.
  federation::Recovery::Loss loss() const { return {claimed_, seeded_}; }
  /// The store is lost, and no snapshot stands in for it. What only a subscriber says keeps nobody from answering.
  bool knows_nothing() const { return kept_ == Kept::Lost && !seeded_ && !claimed_; }
  /// What the store lacked at the start of what had been written into it; empty = nothing.
  const std::string& lacked() const { return lacked_; }
  /// The nodes that were restored.
  const std::set<std::string>& restored() const { return restored_; }
  /// A store has lost what was there: the next start has to know. claimed: only a subscriber says so
  void found_lost(bool claimed);
  /// What the catalog has now is all that there is.
  void recovered();

  /// Of the federation's records: greater than at any start before.
  std::uint64_t epoch() const { return epoch_; }
  /// Stores a checked change and then makes it true. done: nothing was changed if it failed
  void apply(Objects::Change change, std::function<void(Result<void>)> done);
  /// Takes away objects that are gone from memory already. What cannot be written now is told, and is over at the next
  /// start too.
  void erase_expired(std::vector<std::string> keys);
  /// Why the last write failed; empty = it did not.
  const std::string& trouble() const { return trouble_; }

 private:
  void restore_objects(const store::Contents& contents, bool behind);
  /// What the store lacks of what had been written into it.
  struct Lack {
    std::string text;      // empty = nothing
    bool objects = false;  // objects, too, or nobody knows
  };
  Lack lack_of(const store::Contents& contents, const StoreMarker::Content& marked, const std::string& folder) const;
  /// Empties `records` on the way, so that what is restored and what is yet to be restored need no memory at once.
  void restore_records(std::vector<store::StoredRecord> records);
  Kept judge(const store::Contents& contents, StoreMarker::Word marked, bool has_seed) const;
  /// Writes the marker, on a thread of its own: it waits for the disk. What cannot be written is tried again when the
  /// store can be written.
  void mark(StoreMarker::Word word);
  void marked(const Result<void>& result);
  void restore_record(catalog::RecordType type, const store::StoredRecord& record, TimePoint since);
  /// Counts a record that is not restored; the first ones are logged.
  void left_out(const store::StoredRecord& record, const std::string& why);
  /// Whether a record of `node` may be restored: the configuration does not list the node, and the store has it. A
  /// crash in a large change may leave a record without its node. Neither an agent nor the node's silence would ever
  /// take it away, so it is erased from the store, too.
  bool may_restore(catalog::RecordType type, const std::string& key, const std::string& node);
  void write_everything();
  void note(const Result<void>& result);

  Timers& timers_;
  const Post post_;
  const Clock& clock_;
  catalog::Catalog& catalog_;
  Objects& objects_;
  std::unique_ptr<store::StoreThread> thread_;
  std::uint64_t epoch_ = 0;
  std::optional<StoreMarker> marker_;  // nothing = nothing is kept on a disk
  StoreMarker::Word word_{};           // what the marker is to say
  bool marks_again_ = false;           // it does not say so yet, and could not be written
  int marking_now_ = 0;                // writes of it that are under way
  bool mark_waits_ = false;            // and has to be written once more
  TimePoint marked_at_{};
  Kept kept_ = Kept::New;
  bool seeded_ = false;
  bool claimed_ = false;
  std::string lacked_;
  std::size_t left_out_ = 0;      // stored records that were not restored
  std::set<std::string> listed_;  // nodes that the configuration lists: they are not restored
  std::set<std::string> restored_;
  Digests digests_;
  std::optional<RecordWriter> writer_;  // after thread_, which it hands records to
  bool rewriting_ = false;              // write_everything() is posted
  std::string trouble_;
  log::Reminder reminder_;
  std::optional<snapshot_file::WorkerThread> marking_;
};

}  // namespace meshdns::persistence
