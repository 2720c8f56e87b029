#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/brakes.h"
#include "dnsd/federation/recovery.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// One message for any number of subscribers, encoded once.
using EncodedReply = std::shared_ptr<const std::string>;

/// What subscribers get: every record of the catalog, encoded once for each of its versions.
/// thread: control
class Feed {
 public:
  static constexpr std::uint32_t kBuckets = 1024;
  static constexpr std::size_t kMostRemovals = 100000;  // remembered; who missed more takes a snapshot
  static constexpr std::size_t kPartBytes = std::size_t{1} << 20;
  static constexpr Duration kSharedFor = 1s;  // a delta says how long states have lasted: it does not keep

  /// The object behind "namespace/name" or a cluster's name, as it was applied; null = it is gone
  using ObjectLookup = std::function<const v1::Object*(catalog::RecordType, const std::string& key)>;

  /// recovery: null = the catalog is known to be whole
  Feed(catalog::Catalog& catalog, v1::Origin origin, std::uint64_t epoch, ObjectLookup object,
       Recovery* recovery = nullptr);

  /// Encodes what the catalog changed since the last call.
  void update();

  const v1::Origin& origin() const { return origin_; }
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t head() const { return head_; }
  /// Of the zones at the head.
  std::uint32_t serial() const { return catalog_.serial_at(head_); }
  std::size_t size() const { return records_; }
  std::vector<std::uint64_t> bucket_hashes() const { return {buckets_.begin(), buckets_.end()}; }

  /// From one revision to the head, in parts; nothing = too long ago, a snapshot is due. Subscribers that stand at the
  /// same revision share the encoding.
  std::optional<std::vector<EncodedReply>> delta(std::uint64_t from, TimePoint now);
  /// While the federation is not settled, the sets are additive, and what is provisional in them says so.
  std::vector<EncodedReply> snapshot(TimePoint now) const;
  /// The buckets whose hash differs from `held` (kBuckets of them).
  std::vector<bool> differences(const std::vector<std::uint64_t>& held) const;
  /// Everything in these buckets.
  std::vector<EncodedReply> differing(const std::vector<bool>& differs, TimePoint now) const;
  /// What belongs to nodes whose owners have confirmed it, as far as it is in these buckets: an additive set.
  std::vector<EncodedReply> confirmed(const std::set<std::string>& nodes, const std::vector<bool>& differs,
                                      TimePoint now) const;
  /// Everything as one batch, to be kept in a file.
  v1::Batch whole(TimePoint now) const;

  bool settled() const { return recovery_ == nullptr || recovery_->settled(); }
  bool recovering() const { return recovery_ != nullptr && recovery_->recovering(); }
  /// What holds records back; subscribers are told with each heartbeat.
  void set_brakes(const Brakes* brakes) { brakes_ = brakes; }
  std::vector<Brakes::Closed> closed_brakes() const {
    return brakes_ == nullptr ? std::vector<Brakes::Closed>{} : brakes_->closed();
  }
  /// What a subscriber holds may prove that this federation has lost what it knew, or that clients have seen a newer
  /// serial.
  void subscriber_holds(const v1::Position& held, TimePoint now);

 private:
  using Key = std::pair<catalog::RecordType, std::string>;
  struct Entry {
    std::uint64_t revision = 0;
    std::optional<std::string> body;  // nothing = removed
    TimePoint since{};                // what the body says is true since then
    std::uint64_t hash = 0;
    std::uint32_t bucket = 0;
  };

  void put(const Key& key, std::uint64_t revision);
  void forget_removals();
  std::optional<std::pair<std::string, TimePoint>> encode(const Key& key) const;
  v1::Batch empty_batch(v1::Batch::Kind kind, std::uint64_t from) const;
  v1::Batch empty_set(v1::Batch::Kind kind) const;
  bool is_provisional(const Key& key) const;
  /// returns: how many bytes it takes in the batch
  std::size_t add(v1::Batch& batch, const Key& key, const Entry& entry, TimePoint now) const;

  catalog::Catalog& catalog_;
  v1::Origin origin_;
  std::uint64_t epoch_;
  ObjectLookup object_;
  Recovery* recovery_;
  const Brakes* brakes_ = nullptr;
  std::uint64_t head_ = 0;
  std::map<Key, Entry> entries_;
  std::set<std::pair<std::uint64_t, Key>> by_revision_;
  std::set<std::pair<std::uint64_t, Key>> removals_;
  std::uint64_t oldest_ = 0;  // deltas from before cannot be told
  std::size_t records_ = 0;
  std::vector<std::uint64_t> buckets_;
  std::map<std::uint64_t, std::vector<EncodedReply>> deltas_;  // to the head, by where they begin
  TimePoint deltas_begun_{};
};

}  // namespace meshdns::federation
