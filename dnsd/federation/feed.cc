#include "dnsd/federation/feed.h"

#include <algorithm>
#include <utility>

#include "common/convert/record_convert.h"
#include "common/convert/report_convert.h"

namespace meshdns::federation {
namespace {

using catalog::RecordType;

/// Collects batches of one kind and cuts them into parts.
class Parts {
 public:
  explicit Parts(v1::Batch head) : head_(std::move(head)), batch_(head_) {}

  v1::Batch& batch() { return batch_; }
  /// After each record: a full part goes out.
  void added(std::size_t bytes) {
    bytes_ += bytes;
    if (bytes_ >= Feed::kPartBytes) flush(false);
  }
  std::vector<EncodedReply> finish() {
    flush(true);
    return std::move(parts_);
  }

 private:
  void flush(bool last) {
    batch_.set_part(static_cast<std::uint32_t>(parts_.size()));
    batch_.set_last(last);
    v1::WatchReply reply;
    *reply.mutable_batch() = std::move(batch_);
    parts_.push_back(std::make_shared<const std::string>(reply.SerializeAsString()));
    batch_ = head_;
    batch_.clear_buckets();  // the first part has them
    bytes_ = 0;
  }

  v1::Batch head_;
  v1::Batch batch_;
  std::size_t bytes_ = 0;
  std::vector<EncodedReply> parts_;
};

}  // namespace

Feed::Feed(catalog::Catalog& catalog, v1::Origin origin, std::uint64_t epoch, ObjectLookup object, Recovery* recovery)
    : catalog_(catalog),
      origin_(std::move(origin)),
      epoch_(epoch),
      object_(std::move(object)),
      recovery_(recovery),
      buckets_(kBuckets) {
  update();
}

std::optional<std::pair<std::string, TimePoint>> Feed::encode(const Key& key) const {
  const model::Records& records = catalog_.records();
  const auto& [type, name] = key;
  using Encoded = std::optional<std::pair<std::string, TimePoint>>;
  const auto found_in = [&name = name](const auto& map, auto encoded) -> Encoded {
    const auto found = map.find(name);
    if (found == map.end()) return std::nullopt;
    return encoded(found->second);
  };
  switch (type) {
    case RecordType::Node:
      return found_in(records.nodes, [](const auto& node) { return Encoded({convert::node_body(node), {}}); });
    case RecordType::NodeStatus:
      return found_in(records.statuses, [](const auto& status) {
        return Encoded({convert::status_body(status), status.since});
      });
    case RecordType::Endpoint:
      return found_in(records.endpoints, [](const auto& endpoint) {
        return Encoded({convert::endpoint_body(endpoint), endpoint.health.since});
      });
    case RecordType::Service: {
      const auto found = records.services.find(catalog::service_key_of(name));
      if (found == records.services.end()) return std::nullopt;
      return Encoded({convert::service_body(found->first), {}});
    }
    case RecordType::ClusterStatus:
      return found_in(records.cluster_statuses, [](const auto& status) {
        return Encoded({convert::cluster_status_body(status), {}});
      });
    case RecordType::ExternalName:
      return found_in(records.external_names, [](const auto& known) {
        return Encoded({convert::external_name_body(known), {}});
      });
    case RecordType::VirtualDestination:
    case RecordType::Cluster:
    case RecordType::Override: break;
  }
  const v1::Object* object = object_(type, name);
  if (object == nullptr) return std::nullopt;
  return Encoded({convert::object_body(*object), {}});
}

void Feed::put(const Key& key, std::uint64_t revision) {
  const auto [at, added] = entries_.try_emplace(key);
  Entry& entry = at->second;
  if (added) {
    entry.bucket = convert::bucket_of(record_type_name(key.first), key.second, kBuckets);
  } else {
    by_revision_.erase({entry.revision, key});
    removals_.erase({entry.revision, key});
    if (entry.body) --records_;
  }
  buckets_[entry.bucket] -= entry.hash;
  auto encoded = encode(key);
  entry.revision = revision;
  entry.hash = 0;
  entry.body.reset();
  if (encoded) {
    ++records_;
    entry.hash = convert::record_hash(key.second, encoded->first);
    entry.body = std::move(encoded->first);
    entry.since = encoded->second;
  } else {
    removals_.insert({revision, key});
  }
  buckets_[entry.bucket] += entry.hash;
  by_revision_.insert({revision, key});
}

void Feed::forget_removals() {
  while (removals_.size() > kMostRemovals) {
    const auto oldest = *removals_.begin();
    oldest_ = std::max(oldest_, oldest.first);
    by_revision_.erase(oldest);
    entries_.erase(oldest.second);
    removals_.erase(removals_.begin());
  }
}

void Feed::update() {
  if (head_ == catalog_.revision()) return;
  deltas_.clear();
  if (const auto changes = catalog_.changes_since(head_)) {
    for (const catalog::Change& change : *changes) put({change.type, change.key}, change.revision);
  } else {
    // the catalog has forgotten what it changed: everything counts as changed now
    oldest_ = catalog_.revision();
    std::vector<Key> keys;
    for (const auto& [key, entry] : entries_) keys.push_back(key);
    const model::Records& records = catalog_.records();
    const auto add_all = [&keys](RecordType type, const auto& map) {
      for (const auto& [name, record] : map) keys.emplace_back(type, name);
    };
    add_all(RecordType::Node, records.nodes);
    add_all(RecordType::NodeStatus, records.statuses);
    add_all(RecordType::Endpoint, records.endpoints);
    for (const auto& [name, record] : records.services) {
      keys.emplace_back(RecordType::Service, catalog::service_key_text(name));
    }
    add_all(RecordType::VirtualDestination, records.destinations);
    add_all(RecordType::Cluster, records.clusters);
    add_all(RecordType::ClusterStatus, records.cluster_statuses);
    add_all(RecordType::ExternalName, records.external_names);
    add_all(RecordType::Override, records.overrides);
    for (const Key& key : keys) put(key, catalog_.revision());
  }
  forget_removals();
  head_ = catalog_.revision();
}

v1::Batch Feed::empty_batch(v1::Batch::Kind kind, std::uint64_t from) const {
  v1::Batch batch;
  *batch.mutable_origin() = origin_;
  batch.set_epoch(epoch_);
  batch.set_from(from);
  batch.set_to(head_);
  batch.set_serial(serial());
  batch.set_kind(kind);
  return batch;
}

std::size_t Feed::add(v1::Batch& batch, const Key& key, const Entry& entry, TimePoint now) const {
  if (!entry.body) {
    v1::Removal& removal = *batch.add_removals();
    removal.set_type(std::string(record_type_name(key.first)));
    removal.set_key(key.second);
    removal.set_revision(entry.revision);
    removal.set_reason(v1::Removal::WITHDRAWN);
    return removal.ByteSizeLong();
  }
  v1::Record& record = *batch.add_records();
  record.set_type(std::string(record_type_name(key.first)));
  record.set_key(key.second);
  record.set_revision(entry.revision);
  record.set_body(*entry.body);
  if (entry.since != TimePoint{}) {
    *record.mutable_in_state() = convert::to_wire(std::max(Duration::zero(), now - entry.since));
  }
  return record.ByteSizeLong();
}

std::optional<std::vector<EncodedReply>> Feed::delta(std::uint64_t from, TimePoint now) {
  if (from < oldest_ || from > head_) return std::nullopt;
  if (deltas_.empty() || now - deltas_begun_ > kSharedFor) {
    deltas_.clear();
    deltas_begun_ = now;
  }
  const auto known = deltas_.find(from);
  if (known != deltas_.end()) return known->second;
  Parts parts(empty_batch(v1::Batch::DELTA, from));
  for (auto at = by_revision_.lower_bound({from + 1, Key{}}); at != by_revision_.end(); ++at) {
    parts.added(add(parts.batch(), at->second, entries_.at(at->second), now));
  }
  return deltas_[from] = parts.finish();
}

v1::Batch Feed::empty_set(v1::Batch::Kind kind) const {
  v1::Batch batch = empty_batch(kind, 0);
  if (settled()) return batch;
  // buckets of which none is listed: subscribers that know nothing of additive sets take nothing away, too
  batch.set_kind(v1::Batch::BUCKETS);
  batch.set_additive(true);
  return batch;
}

bool Feed::is_provisional(const Key& key) const {
  if (recovery_ == nullptr || recovery_->provisional() == 0) return false;
  if (key.first == RecordType::Node || key.first == RecordType::NodeStatus)
    return recovery_->is_provisional(key.second);
  if (key.first != RecordType::Endpoint) return false;
  const auto found = catalog_.records().endpoints.find(key.second);
  return found != catalog_.records().endpoints.end() && recovery_->is_provisional(found->second.node);
}

std::vector<EncodedReply> Feed::snapshot(TimePoint now) const {
  Parts parts(empty_set(v1::Batch::SNAPSHOT));
  for (const auto& [key, entry] : entries_) {
    if (!entry.body) continue;
    parts.added(add(parts.batch(), key, entry, now));
    if (is_provisional(key)) parts.batch().mutable_records()->rbegin()->set_provisional(true);
  }
  return parts.finish();
}

std::vector<bool> Feed::differences(const std::vector<std::uint64_t>& held) const {
  std::vector<bool> differs(kBuckets, true);
  for (std::uint32_t i = 0; i < kBuckets; ++i) differs[i] = i >= held.size() || held[i] != buckets_[i];
  return differs;
}

std::vector<EncodedReply> Feed::differing(const std::vector<bool>& differs, TimePoint now) const {
  v1::Batch head = empty_set(v1::Batch::BUCKETS);
  for (std::uint32_t i = 0; i < kBuckets && !head.additive(); ++i) {
    if (differs[i]) head.add_buckets(i);
  }
  Parts parts(std::move(head));
  for (const auto& [key, entry] : entries_) {
    if (!entry.body || !differs[entry.bucket]) continue;
    parts.added(add(parts.batch(), key, entry, now));
    if (is_provisional(key)) parts.batch().mutable_records()->rbegin()->set_provisional(true);
  }
  return parts.finish();
}

std::vector<EncodedReply> Feed::confirmed(const std::set<std::string>& nodes, const std::vector<bool>& differs,
                                          TimePoint now) const {
  v1::Batch head = empty_batch(v1::Batch::BUCKETS, 0);
  head.set_additive(true);
  Parts parts(std::move(head));
  const auto put = [&](const Key& key) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || !differs[found->second.bucket]) return;
    parts.added(add(parts.batch(), key, found->second, now));
  };
  const auto& endpoints = catalog_.records().endpoints;
  for (const std::string& node : nodes) {
    put({RecordType::Node, node});
    const std::string own = node + "/";
    for (auto at = endpoints.lower_bound(own); at != endpoints.end() && at->first.starts_with(own); ++at) {
      if (at->second.node == node) put({RecordType::Endpoint, at->first});
    }
    if (catalog_.records().statuses.contains(node)) continue;
    // the subscriber may know it as silent from before
    v1::Removal& removal = *parts.batch().add_removals();
    removal.set_type(std::string(record_type_name(RecordType::NodeStatus)));
    removal.set_key(node);
    removal.set_revision(head_);
    removal.set_reason(v1::Removal::WITHDRAWN);
  }
  return parts.finish();
}

v1::Batch Feed::whole(TimePoint now) const {
  v1::Batch batch = empty_batch(v1::Batch::SNAPSHOT, 0);
  batch.set_last(true);
  for (const auto& [key, entry] : entries_) {
    if (entry.body) add(batch, key, entry, now);
  }
  return batch;
}

void Feed::subscriber_holds(const v1::Position& held, TimePoint now) {
  if (held.origin().cluster() != origin_.cluster()) return;
  // a lost store counts its epochs from the clock: two starts within a second have the same
  const bool of_this_start =
      held.epoch() == epoch_ && held.origin().instance() == origin_.instance() && held.revision() <= head();
  const bool same = of_this_start && held.revision() == head_;
  if (held.has_serial() && !(same && held.serial() == serial())) catalog_.pass_serial(held.serial());
  if (recovery_ == nullptr) return;
  if (!of_this_start) recovery_->earlier_records_seen(now);
}

}  // namespace meshdns::federation
