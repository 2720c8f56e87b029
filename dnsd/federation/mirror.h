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
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// A replica's copy of one origin's records: batches in, the catalog of its own process out.
/// thread: control
class Mirror {
 public:
  /// A whole set that takes away more than half of at least so many endpoints needs its origin's word that it means it.
  static constexpr std::size_t kGuardedEndpoints = 20;

  /// objects: told of every object that comes or (null) goes, by "VirtualDestination/shop/app-b"
  using ObjectSink = std::function<void(const std::string& key, const v1::Object* object)>;

  Mirror(catalog::Catalog& catalog, ObjectSink objects) : catalog_(catalog), objects_(std::move(objects)) {}

  /// Takes a batch; its parts are collected and applied together with the last one.
  /// returns: what was refused, of the last part; the last good version of it stays
  /// errors:  FailedPrecondition: the batch does not follow on what is held, or the guard refuses it: nothing changed
  Result<std::vector<v1::Nack>> apply(const v1::Batch& batch, TimePoint now);
  /// The next whole set is taken whatever it removes.
  void approve_shrink() { shrink_approved_ = true; }
  /// "30 of 40 endpoints would go": what the guard holds back; empty = nothing.
  const std::string& shrink_refused() const { return shrink_refused_; }

  /// Records were refused for want of room, and now there is some: a whole set is needed. Told once.
  bool wants_refill();

  bool empty() const { return epoch_ == 0; }
  /// The last set was additive: what is held may be more than what there is, and has to be compared once more.
  bool additive() const { return additive_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t revision() const { return revision_; }
  const v1::Origin& origin() const { return origin_; }
  /// What the origin says of itself without a batch: a serial may move on though the revision stands still.
  /// returns: something became different
  bool take_head(const v1::Position& head);
  /// with_buckets: hashes too, for an origin that may have begun a new epoch; an additive set is of no epoch (0)
  v1::Position position(bool with_buckets) const;
  /// Everything as one batch, to be kept in a file and applied after a restart.
  v1::Batch snapshot(TimePoint now) const;

 private:
  using Key = std::pair<catalog::RecordType, std::string>;
  struct Held {
    std::uint64_t revision = 0;
    std::string body;
    TimePoint since{};
  };

  Result<std::vector<v1::Nack>> apply_whole(const v1::Batch& whole, TimePoint now);
  Result<void> check(const v1::Batch& batch) const;
  /// What the guard says against a batch; empty = nothing.
  std::string guard(const v1::Batch& batch) const;
  /// The keys that a whole set, or the buckets of a batch, leave out.
  std::vector<Key> missing_in(const v1::Batch& batch) const;
  /// Nodes always fit, so that endpoints have a place.
  bool fits(const Key& key) const;
  std::optional<v1::Nack> put(const v1::Record& record, TimePoint now);
  Result<void> decode(const Key& key, const std::string& body, TimePoint since);
  Result<void> decode_object(const Key& key, const std::string& body);
  void remove(const Key& key);
  /// Services that are gone for the origin go when we hold no endpoint of them any more.
  void remove_orphans();

  catalog::Catalog& catalog_;
  ObjectSink objects_;
  v1::Origin origin_;
  std::uint64_t epoch_ = 0;
  std::uint64_t revision_ = 0;
  std::map<Key, Held> held_;
  std::set<std::string> orphans_;  // keys of services
  std::optional<v1::Batch> arriving_;
  bool additive_ = false;
  bool shrink_approved_ = false;
  std::string shrink_refused_;
  bool short_of_records_ = false;
};

}  // namespace meshdns::federation
