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

/// A replica's copy of one origin's records: batches in, the catalog of its own process out.
///
/// How it works
/// A batch comes in parts, and counts when its last part is here. What happens to the parts before depends on whether
/// the mirror holds anything:
///
///   nothing held (first fill, restored file)      something held
///   each part -> catalog at once                  each part -> staged: encoded, and only records that differ
///   last part -> what an earlier, broken fill     last part -> guard, then staged records -> catalog,
///                left goes; position, revision                 then what the set leaves out goes; position, revision
///
/// Nobody acts on a catalog before its revision moves, so that a fill needs no copy of the set. A fill that breaks off
/// leaves records in the catalog, but the position stays empty: the mirror still says that it holds nothing, and the
/// next set replaces what is left. A set that follows on records that are held is atomic and guarded.
/// A held record carries the number of the last set that named it (HeldRecords), so that the records that a set leaves
/// out are found without a list of those that it has. Bodies are not kept: the catalog's record encodes to the same
/// bytes. Where it does not (a newer federation's unknown fields, operators' objects), the body is kept verbatim.
/// thread: control
class Mirror {
 public:
  /// A whole set that takes away more than half of at least so many endpoints needs its origin's word that it means it.
  static constexpr std::size_t kGuardedEndpoints = 20;
  /// A record with the body that is held counts as unchanged if its state began at the same moment, within so much.
  static constexpr Duration kSameMoment = 1s;
  /// What a batch may have whose last part is not here yet. A batch with more is refused, and so is its origin's
  /// stream.
  struct Bounds {
    std::size_t pieces = 4'000'000;                      // records and removals: twice as many as are kept by default
    std::size_t staged_bytes = std::size_t{1} << 30;     // of the records that wait for the last part
    std::size_t removal_bytes = std::size_t{128} << 20;  // of the keys that are to go
  };
  /// Refused records that are told back of one batch; the others are counted.
  static constexpr std::size_t kMostNacks = 1000;

  /// objects: told of every object that comes or (null) goes, by "VirtualDestination/shop/app-b"
  using ObjectSink = std::function<void(const std::string& key, const v1::Object* object)>;
  /// Returns the next piece of an encoded v1::Batch; nothing = that was all.
  using Blocks = std::function<std::optional<std::string>()>;

  Mirror(catalog::Catalog& catalog, ObjectSink objects) : Mirror(catalog, std::move(objects), Bounds{}) {}
  Mirror(catalog::Catalog& catalog, ObjectSink objects, const Bounds& bounds)
      : catalog_(catalog), objects_(std::move(objects)), bounds_(bounds) {}

  /// Takes a part of a batch; see above for when its records get into the catalog.
  /// returns: the records that were refused, of all parts, with the last one; their last good versions stay. Records
  ///          that there is no room for are not among them: the catalog knows
  /// errors:  FailedPrecondition: the batch does not follow on what is held, or the guard refuses it: nothing changed
  Result<std::vector<v1::Nack>> apply(const v1::Batch& part, TimePoint now);
  /// The stream has ended: the rest of a batch does not come, and what is here of it is dropped.
  void break_off() { arriving_.reset(); }
  /// The next whole set is taken whatever it removes.
  void approve_shrink() { shrink_approved_ = true; }
  /// "30 of 40 endpoints would go": what the guard holds back; empty = nothing.
  const std::string& shrink_refused() const { return shrink_refused_; }

  /// Records were refused for want of room, and now there is some: a whole set is needed. Told once.
  bool wants_refill();

  /// No set was taken as a whole yet.
  bool empty() const { return epoch_ == 0; }
  /// The last set was additive: what is held may be more than what there is, and has to be compared once more.
  bool additive() const { return additive_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t revision() const { return revision_; }
  const v1::Origin& origin() const { return origin_; }
  /// The number of sets, deltas excepted, that were taken. Revisions of one origin count on while it stands still.
  std::uint64_t sets() const { return sets_; }
  /// What the origin says of itself without a batch: a serial may move on though the revision stands still.
  /// returns: something became different
  bool take_head(const v1::Position& head);
  /// with_buckets: hashes too, for an origin that may have begun a new epoch; an additive set is of no epoch (0)
  v1::Position position(bool with_buckets) const;

  /// Everything as one snapshot of this revision, in pieces of so many records, to be kept in a file and applied after
  /// a restart. Pieces may be taken while deltas are applied: a record that changes meanwhile is as it was or as it
  /// became, and the delta from this revision makes both equal. After another set (sets()) the rest is of no use.
  /// The mirror must outlive the function.
  Blocks blocks(TimePoint now, std::size_t records) const;

 private:
  using Key = HeldRecords::Key;
  /// A part of a set that waits for the last one.
  struct Staged {
    TimePoint arrived;
    std::string records;  // an encoded v1::Batch
  };
  /// The batch that is coming.
  struct Arriving {
    v1::Batch::Kind kind{};
    bool fill = false;
    std::uint32_t parts = 0;
    std::vector<bool> buckets;   // those that a BUCKETS set replaces
    HeldRecords::Count named;    // records that were held before, that it replaces or confirms
    std::vector<Staged> staged;  // not for a fill
    std::set<Key> removals;
    std::vector<v1::Nack> nacks;  // of what was put already; at most kMostNacks
    std::size_t nacked = 0;       // how many there were
    std::size_t pieces = 0;
    std::size_t staged_bytes = 0;
    std::size_t removal_bytes = 0;
  };

  void begin(const v1::Batch& first);
  /// Counts a part, with its removals. returns: what it has too much of; empty = nothing
  std::string take_in(const v1::Batch& part);
  Result<std::vector<v1::Nack>> finish(const v1::Batch& last, TimePoint now);
  Result<void> check(const v1::Batch& batch) const;
  /// What the guard says against the set; empty = nothing. `batch`: its last part
  std::string guard(const v1::Batch& batch) const;
  bool is_covered(std::uint32_t bucket) const;
  HeldRecords::Count covered() const;
  /// Marks the held records that a part names.
  void mark(const v1::Batch& part);
  void stage(const v1::Batch& part, TimePoint now);
  void put_all(const v1::Batch& part, TimePoint now);
  void remove_missing(bool additive);

  // ---- mirror_records.cc ----

  /// Nodes always fit, so that endpoints have a place.
  bool fits(const Key& key) const;
  /// What is held says the same already.
  bool same(const Key& key, std::uint64_t hash, const v1::Record& record, TimePoint now) const;
  std::optional<v1::Nack> put(const v1::Record& record, TimePoint now);
  /// Notes what the catalog has taken.
  void hold(const Key& key, const v1::Record& record, std::uint64_t hash);
  Result<void> decode(const Key& key, const std::string& body, TimePoint since);
  Result<void> decode_service(const Key& key, const std::string& body);
  Result<void> decode_object(const Key& key, const std::string& body);
  void remove(const Key& key);
  /// An endpoint is about to leave its service, which it may have brought itself: the origin need not have told of it.
  void note_service_of(const std::string& endpoint);
  /// Services that are gone for the origin go when we hold no endpoint of them any more.
  void remove_orphans();
  /// The body that the catalog's record has; nothing = it has none
  std::optional<std::string> encoded(const Key& key) const;
  /// The body as the origin wrote it.
  std::string body_of(const Key& key) const;
  std::optional<TimePoint> since_of(const Key& key) const;

  // ---- mirror_blocks.cc ----

  void add(v1::Batch& batch, const Key& key, const HeldRecords::Record& held, TimePoint now) const;
  /// Adds the records after `cursor`; returns: false = there are none any more
  bool add_after(Key& cursor, v1::Batch& batch, std::size_t records, TimePoint now) const;

  catalog::Catalog& catalog_;
  ObjectSink objects_;
  const Bounds bounds_;
  v1::Origin origin_;
  std::uint64_t epoch_ = 0;
  std::uint64_t revision_ = 0;
  std::uint64_t sets_ = 0;
  HeldRecords held_;
  std::map<Key, std::string> verbatim_;  // bodies that the catalog's records do not encode to
  std::set<std::string> orphans_;        // keys of services
  std::uint32_t set_ = 0;                // of the batch that is coming or came last
  std::optional<Arriving> arriving_;
  bool additive_ = false;
  bool shrink_approved_ = false;
  std::string shrink_refused_;
  bool short_of_records_ = false;
};

}  // namespace meshdns::federation
