#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/post.h"
#include "common/log/reminder.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/recovery.h"
#include "dnsd/persistence/objects.h"
#include "dnsd/persistence/record_writer.h"
#include "dnsd/persistence/store_marker.h"
#include "dnsd/snapshot_file/worker_thread.h"
#include "dnsd/store/store_thread.h"

namespace meshdns::persistence {

/// Keeps the state of a federation over restarts, and judges at the start whether the store can be trusted.
///
/// How it works
///
///   objects:  apply() -> StoreThread -> on the disk -> committed in memory -> acknowledged
///   records:  catalog change -> RecordWriter, about a second later -> StoreThread
///   start:    marker + store -> judge() -> [lost: newest snapshot ->] objects, then nodes, then their endpoints
///
/// A StoreMarker file beside the store says whether this federation has run here, and how many transactions its store
/// had. A store that is gone, was rebuilt or has fewer transactions is lost: it is filled from the newest snapshot in
/// the same folder, and federation::Recovery decides when it is whole again. While the disk cannot be written, records
/// change in memory and writing is tried again; objects are refused.
/// thread: the loop's
class Persistence {
 public:
  /// The number of revisions that clients may have seen and the store has not. A start adds it to the stored serial, so
  /// that the serial never goes back.
  static constexpr std::uint32_t kMostUnwritten = 1U << 16;
  /// How often the marker is rewritten with the number of transactions of records. Transactions of objects are noted at
  /// once.
  static constexpr Duration kMarkInterval = 30s;

  /// `timers`, `clock`, `catalog` and `objects` must outlive it.
  Persistence(Timers& timers, Post post, const Clock& clock, catalog::Catalog& catalog, Objects& objects);
  ~Persistence();
  /// Hands the records that are not stored yet to the store. Later changes are not stored.
  /// requires: the objects that Digests refers to are alive
  void finish();

  /// Links the store with the digests of agents. After a restart an agent whose digest equals that of the stored
  /// records need not send them again.
  struct Digests {
    DigestOf of;                                                                 // for each endpoint that is stored
    std::function<void(const model::Endpoint&, std::uint64_t digest)> restored;  // called for each restored endpoint
  };

  struct Place {
    std::string folder;    // data_dir
    std::string database;  // path relative to the folder; empty = the store is in memory
  };

  /// Opens the store and fills catalog and objects from it.
  /// errors: the store was written by a newer version, is in use, or cannot be created
  Result<void> open(const Place& place, Digests digests);
  /// Stores an endpoint again whose agent has sent it again: its digest may have changed although the record has not.
  void told(const std::string& endpoint) {
    if (writer_) writer_->changed(catalog::RecordType::Endpoint, endpoint);
  }

  using Kept = federation::Recovery::Store;
  /// Whether the store was new, kept or lost at the start, or was found to be lost later.
  Kept kept() const { return kept_; }
  /// The circumstances of a lost store.
  federation::Recovery::Loss loss() const { return {claimed_, seeded_}; }
  /// Whether the store is lost and no snapshot replaced it, so that DNS must not be served yet. A loss that only a
  /// subscriber claims does not count: a wrong claim must not stop DNS.
  bool knows_nothing() const { return kept_ == Kept::Lost && !seeded_ && !claimed_; }
  /// A description of what the store had lost at the start; empty = nothing.
  const std::string& lacked() const { return lacked_; }
  /// The keys of the nodes that were restored.
  const std::set<std::string>& restored() const { return restored_; }
  /// Notes in the marker that the store is lost, so that a restart during the recovery knows it.
  /// claimed: only a subscriber says so
  void found_lost(bool claimed);
  /// Notes that the recovery is over: the catalog is whole.
  void recovered();

  /// The epoch of the federation's records, greater than at any earlier start.
  std::uint64_t epoch() const { return epoch_; }
  /// Stores a checked change, and commits it to memory once it is on the disk.
  /// done: gets the error if the change could not be stored; then nothing has changed
  void apply(Objects::Change change, std::function<void(Result<void>)> done);
  /// Commits a checked change of objects that are in the Kubernetes API, and writes a copy of them to the store, for a
  /// start without the API. A failure to write is only noted; it is tried again after the next successful write.
  /// returns: for each object that was left out, by key, why
  std::map<std::string, std::string> adopt(const Objects::Change& change);
  /// Erases objects from the store that have expired and are gone from memory already. A failure is only noted: the
  /// next start finds them expired, too.
  void erase_expired(std::vector<std::string> keys);
  /// The error of the last write; empty = it succeeded.
  const std::string& trouble() const { return trouble_; }

 private:
  /// Commits the stored objects.
  /// behind: the store has lost objects, so that an object that the snapshot has restored already is the newer one
  void restore_objects(const store::Contents& contents, bool behind);
  /// The transactions that had been written into the store and are no longer in it.
  struct Lack {
    std::string text;      // a description; empty = nothing is missing
    bool objects = false;  // transactions of objects are missing, or may be
  };
  /// Compares the store with its marker, or, if an older version wrote the marker, with the federation's snapshot.
  Lack lack_of(const store::Contents& contents, const StoreMarker::Content& marked, const std::string& folder) const;
  /// Restores all records: nodes first, as endpoints and statuses need their node. Each row is freed as soon as it is
  /// restored, so that a record is not in memory twice.
  void restore_records(std::vector<store::StoredRecord> records);
  /// Decides whether the store is new, kept or lost.
  Kept judge(const store::Contents& contents, StoreMarker::Word marked, bool has_seed) const;
  /// Writes the marker, on a thread of its own because it waits for the disk. A failed write is repeated after the next
  /// successful write of the store.
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
  /// Writes the objects of uncopied_ as they are now.
  void write_copies();
  void note(const Result<void>& result);

  Timers& timers_;
  const Post post_;
  const Clock& clock_;
  catalog::Catalog& catalog_;
  Objects& objects_;
  std::unique_ptr<store::StoreThread> thread_;
  std::uint64_t epoch_ = 0;
  std::optional<StoreMarker> marker_;  // nothing = the store is in memory
  StoreMarker::Word word_{};           // the word that the marker is to say
  bool marks_again_ = false;           // the last write of the marker failed
  int marking_now_ = 0;                // writes of the marker under way
  bool mark_waits_ = false;            // write the marker again after the write under way
  TimePoint marked_at_{};
  Kept kept_ = Kept::New;
  bool seeded_ = false;
  bool claimed_ = false;
  std::string lacked_;
  std::size_t left_out_ = 0;      // stored records that were not restored
  std::set<std::string> listed_;  // nodes that the configuration lists: they are not restored
  std::set<std::string> restored_;
  Digests digests_;
  std::optional<RecordWriter> writer_;  // declared after thread_, to which it hands records
  bool rewriting_ = false;              // write_everything() is posted
  std::string trouble_;
  std::set<std::string> uncopied_;  // keys of adopted objects whose copy is not in the store yet
  log::Reminder reminder_;
  std::optional<snapshot_file::WorkerThread> marking_;
};

}  // namespace meshdns::persistence
