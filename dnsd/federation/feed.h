#pragma once

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
#include "dnsd/federation/recovery.h"
#include "dnsd/federation/transfer.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// What a Feed cuts into pieces, and how much it remembers.
struct FeedSizes {
  std::size_t part_bytes = std::size_t{1} << 20;  // of the records in one part of a batch
  std::size_t removals = 100000;                  // remembered; a subscriber that missed more takes a snapshot
};

/// What subscribers get: every record of the catalog, with the revision that changed it last.
///
/// How it works: an entry per record holds its revision and its hash, not its bytes; bytes are encoded from the catalog
/// when a transfer needs them, always the same ones for the same record. All entries are in one list in the order of
/// their revisions, and an entry that changes moves to its end, so that a delta walks only what it tells:
///
///   oldest  [n1 r3] <-> [web/a r4] <-> [web/c r9] <-> [web/b r12]  newest
///                                      `--- delta from 4 ------'
///
/// Before a transfer encodes a record the feed takes over what changed: a record that was told is one that the feed
/// knows, so that its next change is noticed, whatever the catalog's log has forgotten.
///
/// A removed record stays as an entry without a hash until `FeedSizes::removals` newer ones were removed. Subscribers
/// that begin at the same revision, or to fill at the same moment, share one Transfer and so its encoding. thread:
/// control
class Feed {
 public:
  static constexpr std::uint32_t kBuckets = 1024;
  /// Transfers say how long states have lasted, so they are shared only by subscribers that begin within this time.
  static constexpr Duration kSharedFor = 1s;
  /// Less than half of the circle of serials (RFC 1982), so that a serial that was pushed on is still the newer one.
  static constexpr std::uint32_t kMostSerialAhead = std::uint32_t{1} << 30;
  /// What the deltas that others may join hold together, about.
  static constexpr std::size_t kMostKeptDeltas = std::size_t{32} << 20;

  /// Returns the object behind "namespace/name" or a cluster's name, as it was applied; null = it is gone.
  using ObjectLookup = std::function<const v1::Object*(catalog::RecordType, const std::string& key)>;

  /// recovery: null = the catalog is known to be whole
  Feed(catalog::Catalog& catalog, v1::Origin origin, std::uint64_t epoch, ObjectLookup object,
       Recovery* recovery = nullptr, FeedSizes sizes = {});

  /// Takes over what the catalog changed since the last call. Costs by the number of changes; if the catalog's log does
  /// not reach back so far, by the number of records, and only those that differ count as changed.
  void update();

  const v1::Origin& origin() const { return origin_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t head() const { return head_; }
  /// How many revisions update() would take over.
  std::uint64_t lag() const { return catalog_.revision() - head_; }
  /// Returns the zones' serial at the head.
  std::uint32_t serial() const { return catalog_.serial_at(head_); }
  std::size_t size() const { return records_; }
  std::vector<std::uint64_t> bucket_hashes() const { return {buckets_.begin(), buckets_.end()}; }

  /// Whether delta() from this revision is possible.
  bool reaches_back_to(std::uint64_t revision) const { return revision >= oldest_ && revision <= head_; }
  /// Returns what changed after a revision, up to the head. requires: reaches_back_to(from)
  std::shared_ptr<Transfer> delta(std::uint64_t from, TimePoint now);
  /// Returns every record. While the federation is not settled the set is additive, and provisional records say so.
  std::shared_ptr<Transfer> snapshot(TimePoint now);
  /// The same for one subscriber alone, however slowly it reads.
  std::shared_ptr<Transfer> own_snapshot();
  /// Forgets transfers that nobody can join any more; called now and then.
  void forget_transfers(TimePoint now);
  /// Returns the buckets whose hash differs from `held`, which has kBuckets of them.
  std::vector<bool> differences(const std::vector<std::uint64_t>& held) const;
  /// Returns every record in these buckets.
  std::shared_ptr<Transfer> differing(const std::vector<bool>& differs);
  /// Returns an additive set: the records of nodes that their agents have confirmed, as far as they are in these
  /// buckets.
  std::shared_ptr<Transfer> confirmed(const std::set<std::string>& nodes, const std::vector<bool>& differs);
  /// Returns a source of encoded pieces whose concatenation is one v1::Batch with every record, to be kept in a file.
  /// Each call encodes up to `records` of them; nothing = the end. The source must not outlive the feed.
  std::function<std::optional<std::string>()> blocks(TimePoint now, std::size_t records);

  /// A node's agent has confirmed what was provisional: subscribers that compared before hear of it.
  void confirm(const std::string& node) { confirmations_.push_back(node); }
  /// Returns the nodes that were confirmed since the start, in order; each is confirmed at most once.
  const std::vector<std::string>& confirmations() const { return confirmations_; }

  bool settled() const { return recovery_ == nullptr || recovery_->settled(); }
  bool recovering() const { return recovery_ != nullptr && recovery_->recovering(); }
  /// What holds records back; subscribers are told with each heartbeat.
  void set_brakes(const Brakes* brakes) { brakes_ = brakes; }
  std::vector<Brakes::Closed> closed_brakes() const {
    return brakes_ == nullptr ? std::vector<Brakes::Closed>{} : brakes_->closed();
  }
  /// What a subscriber holds may prove that this federation has lost what it knew, or that clients have seen a newer
  /// serial. Only records that differ from ours prove a loss: an old epoch alone is easily said.
  /// returns: false = its serial is too far ahead, and was ignored
  bool subscriber_holds(const v1::Position& held, TimePoint now);
  /// Subscribers cannot make the serial newer than this one and kMostSerialAhead; without a call it is the serial of
  /// the beginning.
  void set_serial_anchor(std::uint32_t serial) { serial_limit_ = serial + kMostSerialAhead; }

 private:
  using Key = std::pair<catalog::RecordType, std::string>;
  struct Entry;
  using Entries = std::map<Key, Entry>;
  struct Entry {
    std::uint64_t revision = 0;
    std::uint64_t hash = 0;
    Entries::value_type* older = nullptr;  // neighbours in the list by revision
    Entries::value_type* newer = nullptr;
    std::uint32_t bucket = 0;
    bool present = false;  // no = it was removed
  };
  struct Encoded {
    std::string body;
    TimePoint since{};  // the body is true since then; zero = its age says nothing
  };

  /// Takes over a record as it is now; nothing = it is gone.
  void put(const Key& key, std::uint64_t revision, const std::optional<Encoded>& encoded);
  /// The same, unless it is what the feed has.
  void compare(const Key& key, const std::optional<Encoded>& encoded);
  /// Compares every entry and every record, where the catalog cannot tell what changed.
  void compare_all();
  void link_newest(Entries::value_type& entry);
  void unlink(Entries::value_type& entry);
  void forget_removals();
  void forget_deltas();
  /// Whether a subscriber has records, in a bucket that is not the same here.
  bool holds_others(const v1::Position& held) const;
  /// Whether a remembered removal is still the last word on its key.
  bool is_current(const std::pair<std::uint64_t, Key>& removal) const;
  std::optional<Encoded> encode(const Key& key) const;
  /// entry: of one of the maps of model::Records
  template <class Named>
  static Encoded encoded(const Named& entry);
  v1::Batch empty_batch(v1::Batch::Kind kind, std::uint64_t from) const;
  v1::Batch empty_set(v1::Batch::Kind kind) const;
  bool is_provisional(const Key& key) const;
  /// Returns the complete record or removal of a key as it is now.
  Transfer::Piece piece(const Key& key, bool mark_provisional, TimePoint now) const;
  /// Returns a source of the records whose entries `wanted` admits, in the order of their keys.
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
  std::uint32_t serial_limit_ = 0;  // no subscriber makes it newer
  std::uint64_t head_ = 0;
  Entries entries_;
  std::uint64_t erased_ = 0;               // how many entries were ever erased: iterators of transfers look at it
  Entries::value_type* newest_ = nullptr;  // the end of the list by revision
  Entries::value_type* eldest_ = nullptr;  // its beginning
  std::deque<std::pair<std::uint64_t, Key>> removals_;  // oldest first; those of keys that came back are skipped
  std::uint64_t oldest_ = 0;                            // deltas from before cannot be told
  std::size_t records_ = 0;
  std::vector<std::uint64_t> buckets_;
  std::vector<std::string> confirmations_;
  std::map<std::uint64_t, std::shared_ptr<Transfer>> deltas_;  // to the head, by where they begin
  std::size_t deltas_bytes_ = 0;                               // that they hold, about
  std::shared_ptr<Transfer> fill_;                             // the snapshot that was begun last
};

}  // namespace meshdns::federation
