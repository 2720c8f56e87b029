#pragma once

// How it works
//
// A federation and its replicas keep the same records over one Watch stream. Feed is the federation's side, Mirror
// (mirror.h) the replica's side, Transfer one batch on its way, WatchSession the stream.
//
//   Catalog --changes--> Feed --Transfer: parts of at most 1 MiB--> Mirror --> Catalog of the replica
//
// Feed has one entry for each record: the revision that changed the record last, and the hash of its bytes. The bytes
// themselves are not kept; they are encoded from the catalog when a transfer needs them. The same record always encodes
// to the same bytes. All entries are in one list in the order of their revisions. An entry that changes moves to the
// end of the list, so that a delta walks only over the records that it contains:
//
//   oldest  [n1 r3] <-> [web/a r4] <-> [web/c r9] <-> [web/b r12]  newest
//                                      `--- delta from 4 ------'
//
// The keys of all records are hashed into 1,024 buckets. A bucket's hash is the sum of the hashes of its records, so a
// change costs one subtraction and one addition. Replica and federation compare 8 KiB of bucket hashes to find the
// records that differ.
//
//   the replica holds                                            it gets (WatchSession chooses)
//   a revision of this epoch, and the feed reaches back to it    DELTA from that revision: delta()
//   bucket hashes of this origin, another epoch or too old       BUCKETS, all records of those that differ: differing()
//   nothing, or another origin's records                         SNAPSHOT: snapshot()
//
// A removed record stays in the list as an entry without a hash, until `FeedSizes::removals` newer records were
// removed. After that the feed does not reach back to the revisions before the forgotten removal.
//
// While the federation is not settled (recovery.h), SNAPSHOT and BUCKETS become an additive set, by which a replica
// removes nothing. When a node's agent confirms its records, confirmed() sends them to the replicas that differed.
//
// Deliberately not done:
// * There is no queue per replica. The next delta begins where the previous one ended, and so merges all changes in
//   between into one version of each record.
// * A transfer is no consistent picture of its revision. A record that is encoded late may be newer than the revision
//   that the transfer leads to. The next delta begins at that revision and contains the record again.
// * The catalog's log is not trusted to be long enough. If it has forgotten changes, the feed compares all records.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/brakes.h"
#include "dnsd/federation/record_codec.h"
#include "dnsd/federation/recovery.h"
#include "dnsd/federation/transfer.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// The size of a batch's parts, and the number of removals that a Feed remembers.
struct FeedSizes {
  std::size_t part_bytes = std::size_t{1} << 20;  // records in one part of a batch
  std::size_t removals = 100000;                  // remembered; a replica that missed more gets a set
};

/// The records of a federation as its replicas get them: every record of the catalog with the revision that changed it
/// last. Used by WatchSession for replicas and by the writer of the federation's own snapshot file. Does not decide
/// what a replica needs or when it is sent; WatchSession and Watchers do. Replicas are called subscribers in names here
/// and in the protocol.
///
/// Replicas that begin a delta at the same revision, or a snapshot at about the same moment, share one Transfer, and so
/// each part is encoded once for all of them.
///
/// Each transfer calls update() before it encodes a record. Otherwise the feed could miss that the record changed, if
/// the catalog's log forgets the change before the next update().
/// thread: control
class Feed {
 public:
  static constexpr std::uint32_t kBuckets = 1024;
  /// The time within which replicas have to begin a transfer to share it. It is short because a transfer says how long
  /// each state has lasted at the time of encoding.
  static constexpr Duration kSharedFor = 1s;
  /// The limit by which replicas' reports may move the zones' serial forward. Less than half of the circle of serials
  /// (RFC 1982), so that a serial that was moved still compares as newer.
  static constexpr std::uint32_t kMostSerialAhead = std::uint32_t{1} << 30;
  /// Bytes of keys that the shared deltas may hold together, about. Beyond this no replica joins the older deltas.
  static constexpr std::size_t kMostKeptDeltas = std::size_t{32} << 20;

  /// Returns the object of the key "namespace/name", or of a cluster's name, as the operator applied it; null if the
  /// object is gone.
  using ObjectLookup = std::function<const v1::Object*(catalog::RecordType, const std::string& key)>;

  /// catalog:  must outlive the feed; so must `recovery`
  /// epoch:    of this start of the federation; another one makes replicas compare buckets
  /// recovery: null = the catalog is known to be complete
  Feed(catalog::Catalog& catalog, v1::Origin origin, std::uint64_t epoch, ObjectLookup object,
       Recovery* recovery = nullptr, FeedSizes sizes = {});

  /// Takes over the catalog's changes since the last call. Costs by the number of changes. If the catalog's log does
  /// not reach back to the last call, compares all records, and only the records that differ count as changed.
  void update();

  const v1::Origin& origin() const { return origin_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t head() const { return head_; }
  /// The number of revisions that update() would take over.
  std::uint64_t lag() const { return catalog_.revision() - head_; }
  /// Returns the zones' serial at the head.
  std::uint32_t serial() const { return catalog_.serial_at(head_); }
  std::size_t size() const { return records_; }
  std::vector<std::uint64_t> bucket_hashes() const { return {buckets_.begin(), buckets_.end()}; }

  /// Returns whether delta() can begin at this revision.
  bool reaches_back_to(std::uint64_t revision) const { return revision >= oldest_ && revision <= head_; }
  /// Returns the records and removals after the revision `from`, up to the head.
  /// requires: reaches_back_to(from)
  std::shared_ptr<Transfer> delta(std::uint64_t from, TimePoint now);
  /// Returns every record. While the federation is not settled, the set is additive and provisional records are marked.
  /// Joins a snapshot that another replica has just begun, if that is possible.
  std::shared_ptr<Transfer> snapshot(TimePoint now);
  /// Like snapshot(), but for one replica alone, however slowly the replica reads.
  std::shared_ptr<Transfer> own_snapshot();
  /// Forgets the shared transfers that no replica can join any more. Called with each round of heartbeats.
  void forget_transfers(TimePoint now);
  /// Returns for each bucket whether its hash differs from `held`, which has kBuckets hashes; a missing hash differs.
  std::vector<bool> differences(const std::vector<std::uint64_t>& held) const;
  /// Returns every record of the buckets that are true in `differs`.
  std::shared_ptr<Transfer> differing(const std::vector<bool>& differs);
  /// Returns an additive set: the records of `nodes`, whose agents have confirmed them, in the buckets that are true in
  /// `differs`; also the removal of the node's status where the node has none.
  std::shared_ptr<Transfer> confirmed(const std::set<std::string>& nodes, const std::vector<bool>& differs);
  /// Returns a function that encodes every record for a snapshot file, up to `records` records with each call. The
  /// concatenation of all results is one encoded v1::Batch; nothing marks the end. The feed must outlive the function.
  std::function<std::optional<std::string>()> blocks(TimePoint now, std::size_t records);

  /// Notes that a node's agent has confirmed the node's provisional records. Sessions whose replica differed send them.
  void confirm(const std::string& node) { confirmations_.push_back(node); }
  /// Returns the nodes confirmed since the start, in the order of confirmation; each node is in the list at most once.
  const std::vector<std::string>& confirmations() const { return confirmations_; }

  bool settled() const { return recovery_ == nullptr || recovery_->settled(); }
  bool recovering() const { return recovery_ != nullptr && recovery_->recovering(); }
  /// Sets the brakes whose state each status message reports. `brakes` must outlive the feed.
  void set_brakes(const Brakes* brakes) { brakes_ = brakes; }
  std::vector<Brakes::Closed> closed_brakes() const {
    return brakes_ == nullptr ? std::vector<Brakes::Closed>{} : brakes_->closed();
  }
  /// Takes note of a position that a replica says it holds. The position may show that this federation has lost records
  /// (then the recovery begins), or that clients have already seen a newer serial (then the serial moves past it). An
  /// old epoch alone shows nothing, because anyone can claim one: only buckets with other records count as a loss.
  /// returns: false = the replica's serial is too far ahead and was ignored
  bool subscriber_holds(const v1::Position& held, TimePoint now);
  /// Limits how far replicas can move the serial: to `serial` + kMostSerialAhead. The constructor uses the catalog's
  /// serial at the start.
  void set_serial_anchor(std::uint32_t serial) { serial_limit_ = serial + kMostSerialAhead; }

 private:
  using Key = std::pair<catalog::RecordType, std::string>;
  struct Entry;
  using Entries = std::map<Key, Entry>;
  struct Entry {
    std::uint64_t revision = 0;
    std::uint64_t hash = 0;
    Entries::value_type* older = nullptr;  // neighbours in the list of all entries, in the order of revisions
    Entries::value_type* newer = nullptr;
    std::uint32_t bucket = 0;
    bool present = false;  // false = the record was removed
  };
  /// Takes over a record as it is now; nothing = the record is gone.
  void put(const Key& key, std::uint64_t revision, const std::optional<EncodedRecord>& encoded);
  /// Like put(), unless the feed's entry already has this hash. Used where the changes are not known.
  void compare(const Key& key, const std::optional<EncodedRecord>& encoded);
  /// Compares every entry with the catalog and every record with the entries. Used where the catalog's log is too
  /// short.
  void compare_all();
  void link_newest(Entries::value_type& entry);
  void unlink(Entries::value_type& entry);
  void forget_removals();
  void forget_deltas();
  /// Returns whether a position has records in a bucket whose hash is not the one here.
  bool holds_others(const v1::Position& held) const;
  /// Returns whether a remembered removal is still the newest change of its key.
  bool is_current(const std::pair<std::uint64_t, Key>& removal) const;
  std::optional<EncodedRecord> encode(const Key& key) const;
  v1::Batch empty_batch(v1::Batch::Kind kind, std::uint64_t from) const;
  v1::Batch empty_set(v1::Batch::Kind kind) const;
  bool is_provisional(const Key& key) const;
  /// Returns the record of a key as it is now, or its removal if the record is gone.
  Transfer::Piece piece(const Key& key, bool mark_provisional, TimePoint now) const;
  /// Returns a source of the present records whose entries `wanted` admits, in the order of their keys. The source
  /// stays correct while entries are added and erased.
  template <class Wanted>
  Transfer::Source all_records(Wanted wanted);
  Transfer::Source pieces_of(std::vector<Key> keys);
  Transfer::Limits shared(TimePoint now) const { return {sizes_.part_bytes, now + kSharedFor, 0}; }

  catalog::Catalog& catalog_;
  v1::Origin origin_;
  std::uint64_t epoch_;
  ObjectLookup object_;
  Recovery* recovery_;
  FeedSizes sizes_;
  const Brakes* brakes_ = nullptr;
  std::uint32_t serial_limit_ = 0;  // replicas cannot move the serial beyond
  std::uint64_t head_ = 0;
  Entries entries_;
  std::uint64_t erased_ = 0;  // entries erased so far; sources compare it to see that their iterator is invalid
  Entries::value_type* newest_ = nullptr;               // the end of the list of all entries
  Entries::value_type* eldest_ = nullptr;               // its beginning
  std::deque<std::pair<std::uint64_t, Key>> removals_;  // oldest first; outdated where the key came back
  std::uint64_t oldest_ = 0;                            // the first revision at which a delta can begin
  std::size_t records_ = 0;
  std::vector<std::uint64_t> buckets_;
  std::vector<std::string> confirmations_;
  std::map<std::uint64_t, std::shared_ptr<Transfer>> deltas_;  // to the head, by their `from`
  std::size_t deltas_bytes_ = 0;                               // of the keys that deltas_ hold, about
  std::shared_ptr<Transfer> fill_;                             // the newest shared snapshot; null = none can be joined
};

}  // namespace meshdns::federation
