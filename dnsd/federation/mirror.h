#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/held_records.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// A replica's copy of one origin's records: takes batches and applies them to the catalog of its own process. Used by
/// Follower, which owns the stream, and by the reader and writer of the replica's snapshot file. Does not publish
/// answers: whoever compiles them watches the catalog's revision.
///
/// How it works (feed.h shows the federation's side)
/// A batch comes in parts and counts when its last part has arrived. The treatment of the earlier parts depends on
/// whether the mirror holds anything:
///
///   nothing held (first fill, restored file)      something held
///   each part -> catalog at once                  each part -> staged: encoded, and only records that differ
///   last part -> records of an earlier, broken    last part -> guard, then staged records -> catalog, then
///                fill go; position, revision                   records that the set leaves out go; position, revision
///
/// Nobody acts on a catalog before its revision moves, so a fill needs no second copy of the set. A fill that breaks
/// off leaves records in the catalog, but the position stays empty: the mirror still reports that it holds nothing, and
/// the next set replaces the remains. A set that arrives while records are held is applied as a whole or not at all,
/// and the guard can refuse it.
/// Each held record carries the number of the last set that named it (HeldRecords). The records that a set leaves out
/// are the records with an older number, so no list of a set's keys is needed. Bodies are not kept, because the
/// catalog's record encodes to the same bytes. Where it does not (unknown fields of a newer federation, operators'
/// objects), the body is kept verbatim.
/// thread: control
class Mirror {
 public:
  /// The guard's limit: a set that removes more than half of at least this many endpoints is refused, unless the origin
  /// says that it means it (Batch.authoritative_shrink) or an operator approves it.
  static constexpr std::size_t kGuardedEndpoints = 20;
  /// A record with the held body counts as unchanged if its state began within this time of the held state's beginning.
  static constexpr Duration kSameMoment = 1s;
  /// The size that a batch may reach before its last part. A batch that exceeds one of these is refused, and its stream
  /// ends.
  struct Bounds {
    std::size_t pieces = 4'000'000;                      // records and removals; twice the default capacity
    std::size_t staged_bytes = std::size_t{1} << 30;     // records that wait for the last part
    std::size_t removal_bytes = std::size_t{128} << 20;  // keys that are to be removed
  };
  /// The number of refused records of one batch that are listed; further ones are only counted.
  static constexpr std::size_t kMostNacks = 1000;

  /// Receives each operator's object that arrives or (null) goes, by a key like "VirtualDestination/shop/app-b". Needed
  /// because the catalog holds only the meaning of objects, not their text.
  using ObjectSink = std::function<void(const std::string& key, const v1::Object* object)>;
  /// Returns the next piece of an encoded v1::Batch; nothing after the last piece.
  using Blocks = std::function<std::optional<std::string>()>;

  /// catalog: must outlive the mirror
  /// objects: called while a batch is applied
  Mirror(catalog::Catalog& catalog, ObjectSink objects) : Mirror(catalog, std::move(objects), Bounds{}) {}
  Mirror(catalog::Catalog& catalog, ObjectSink objects, const Bounds& bounds)
      : catalog_(catalog), objects_(std::move(objects)), bounds_(bounds) {}

  /// Takes one part of a batch. The class comment says when the part's records reach the catalog.
  /// returns: with the last part: the refused records of all parts, whose last good versions stay; otherwise none.
  ///          Records that lack room are not listed; the catalog counts them
  /// errors:  FailedPrecondition: a part is missing, the batch is too large, the delta does not follow on the held
  ///          revision, or the guard refuses the set. Held records are unchanged, and the batch is dropped
  Result<std::vector<v1::Nack>> apply(const v1::Batch& part, TimePoint now);
  /// Drops the batch that is arriving, because its stream has ended.
  void break_off() { arriving_.reset(); }
  /// Makes the guard let the next set pass, whatever it removes.
  void approve_shrink() { shrink_approved_ = true; }
  /// Returns the reason why the guard refused the last set, like "30 of 40 endpoints would go"; empty = not refused.
  const std::string& shrink_refused() const { return shrink_refused_; }

  /// Returns true once after records were refused because the catalog was full and it has room again: a whole set is
  /// needed.
  bool wants_refill();

  /// Returns whether no set was taken to its end yet.
  bool empty() const { return epoch_ == 0; }
  /// Returns whether the last set was additive: the mirror may hold records that the origin does not have, and has to
  /// compare buckets as soon as the origin has settled.
  bool additive() const { return additive_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t revision() const { return revision_; }
  const v1::Origin& origin() const { return origin_; }
  /// The number of sets that were taken; deltas do not count. While it is unchanged, revisions of the origin only grow.
  std::uint64_t sets() const { return sets_; }
  /// Takes the zones' serial from the origin's status message, because it may change while the revision does not.
  /// returns: whether the serial changed
  bool take_head(const v1::Position& head);
  /// Returns the position that this replica reports to its origin.
  /// with_buckets: with bucket hashes, for an origin that may have begun a new epoch; then the epoch of an additive set
  ///               is 0, so that the origin compares buckets
  v1::Position position(bool with_buckets) const;

  /// Returns a function that encodes the held records as one snapshot of this revision, `records` at a time, for a file
  /// that the next start applies. Deltas may be applied between two calls: a record that changes meanwhile is in the
  /// file in its old or new version, and the delta from this revision makes both equal. After another set (sets() has
  /// changed) the remaining pieces are useless. The mirror must outlive the function.
  Blocks blocks(TimePoint now, std::size_t records) const;

 private:
  using Key = HeldRecords::Key;
  /// The records of one part, kept until the last part arrives.
  struct Staged {
    TimePoint arrived;
    std::string records;  // an encoded v1::Batch
  };
  /// The batch that is arriving.
  struct Arriving {
    v1::Batch::Kind kind{};
    bool fill = false;
    std::uint32_t parts = 0;
    std::vector<bool> buckets;   // true = the BUCKETS set replaces this bucket
    HeldRecords::Count named;    // held records in replaced buckets that it names
    std::vector<Staged> staged;  // unused by a fill
    std::set<Key> removals;
    std::vector<v1::Nack> nacks;  // of records that were put already; at most kMostNacks
    std::size_t nacked = 0;       // refused records, listed or not
    std::size_t pieces = 0;
    std::size_t staged_bytes = 0;
    std::size_t removal_bytes = 0;
  };

  void begin(const v1::Batch& first);
  /// Counts a part's records and notes its removals.
  /// returns: the limit that is exceeded, as text; empty = none
  std::string take_in(const v1::Batch& part);
  Result<std::vector<v1::Nack>> finish(const v1::Batch& last, TimePoint now);
  Result<void> check(const v1::Batch& batch) const;
  /// Returns the guard's reason to refuse the set; empty = none.
  /// batch: the last part of the set
  std::string guard(const v1::Batch& batch) const;
  bool is_covered(std::uint32_t bucket) const;
  HeldRecords::Count covered() const;
  /// Marks the held records that a part names with the number of the arriving set.
  void mark(const v1::Batch& part);
  void stage(const v1::Batch& part, TimePoint now);
  void put_all(const v1::Batch& part, TimePoint now);
  void remove_missing(bool additive);

  // ---- mirror_records.cc ----

  /// Returns whether the catalog has room for the record. Nodes always fit; their endpoints would be refused without
  /// them.
  bool fits(const Key& key) const;
  /// Returns whether the held record has the same hash, and its state began at the same moment.
  bool same(const Key& key, std::uint64_t hash, const v1::Record& record, TimePoint now) const;
  std::optional<v1::Nack> put(const v1::Record& record, TimePoint now);
  /// Notes that the mirror holds a record, after the catalog has taken it.
  void hold(const Key& key, const v1::Record& record, std::uint64_t hash);
  Result<void> decode(const Key& key, const std::string& body, TimePoint since);
  Result<void> decode_object(const Key& key, const std::string& body);
  void remove(const Key& key);
  /// Notes the endpoint's service before the endpoint leaves it. The endpoint may have created the service, of which
  /// the origin then never sent a record; remove_orphans() has to look at it.
  void note_service_of(const std::string& endpoint);
  /// Removes the noted services that the origin does not have and that hold no endpoint here.
  void remove_orphans();
  /// Returns the catalog's record as bytes; nothing if the catalog has none or holds only its meaning.
  std::optional<std::string> encoded(const Key& key) const;
  /// Returns the body as the origin wrote it.
  std::string body_of(const Key& key) const;
  std::optional<TimePoint> since_of(const Key& key) const;

  // ---- mirror_blocks.cc ----

  void add(v1::Batch& batch, const Key& key, const HeldRecords::Record& held, TimePoint now) const;
  /// Adds up to `records` held records after `cursor` to the batch, and moves `cursor`.
  /// returns: false = the last record was added
  bool add_after(Key& cursor, v1::Batch& batch, std::size_t records, TimePoint now) const;

  catalog::Catalog& catalog_;
  ObjectSink objects_;
  const Bounds bounds_;
  v1::Origin origin_;
  std::uint64_t epoch_ = 0;
  std::uint64_t revision_ = 0;
  std::uint64_t sets_ = 0;
  HeldRecords held_;
  std::map<Key, std::string> verbatim_;  // bodies that the catalog's record does not reproduce
  std::set<std::string> orphans_;        // keys of services that remove_orphans() looks at
  std::uint32_t set_ = 0;                // number of the set that arrives, or arrived last
  std::optional<Arriving> arriving_;
  bool additive_ = false;
  bool shrink_approved_ = false;
  std::string shrink_refused_;
  bool short_of_records_ = false;
};

}  // namespace meshdns::federation
