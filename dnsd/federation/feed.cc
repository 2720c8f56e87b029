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

Feed::Feed(const catalog::Catalog& catalog, v1::Origin origin, std::uint64_t epoch, ObjectLookup object)
    : catalog_(catalog), origin_(std::move(origin)), epoch_(epoch), object_(std::move(object)), buckets_(kBuckets) {
  update();
}

std::optional<std::pair<std::string, TimePoint>> Feed::encode(const Key& key) const {
  const model::Records& records = catalog_.records();
  const auto& [type, name] = key;
  if (type == RecordType::Node) {
    const auto found = records.nodes.find(name);
    if (found != records.nodes.end()) return std::pair{convert::node_body(found->second), TimePoint{}};
  } else if (type == RecordType::NodeStatus) {
    const auto found = records.statuses.find(name);
    if (found != records.statuses.end()) return std::pair{convert::status_body(found->second), found->second.since};
  } else if (type == RecordType::Endpoint) {
    const auto found = records.endpoints.find(name);
    if (found != records.endpoints.end()) {
      return std::pair{convert::endpoint_body(found->second), found->second.health.since};
    }
  } else if (type == RecordType::Service) {
    const auto found = records.services.find(catalog::service_key_of(name));
    if (found != records.services.end()) return std::pair{convert::service_body(found->first), TimePoint{}};
  } else if (const v1::Object* object = object_(type, name)) {
    return std::pair{convert::object_body(*object), TimePoint{}};
  }
  return std::nullopt;
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
    for (const auto& [name, record] : records.nodes) keys.emplace_back(RecordType::Node, name);
    for (const auto& [name, record] : records.statuses) keys.emplace_back(RecordType::NodeStatus, name);
    for (const auto& [name, record] : records.endpoints) keys.emplace_back(RecordType::Endpoint, name);
    for (const auto& [name, record] : records.services) {
      keys.emplace_back(RecordType::Service, catalog::service_key_text(name));
    }
    for (const auto& [name, record] : records.destinations) keys.emplace_back(RecordType::VirtualDestination, name);
    for (const auto& [name, record] : records.clusters) keys.emplace_back(RecordType::Cluster, name);
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

std::vector<EncodedReply> Feed::snapshot(TimePoint now) const {
  Parts parts(empty_batch(v1::Batch::SNAPSHOT, 0));
  for (const auto& [key, entry] : entries_) {
    if (!entry.body) continue;
    parts.added(add(parts.batch(), key, entry, now));
  }
  return parts.finish();
}

std::vector<EncodedReply> Feed::differing(const std::vector<std::uint64_t>& held, TimePoint now) const {
  v1::Batch head = empty_batch(v1::Batch::BUCKETS, 0);
  std::vector<bool> differs(kBuckets, true);
  for (std::uint32_t i = 0; i < kBuckets; ++i) {
    differs[i] = i >= held.size() || held[i] != buckets_[i];
    if (differs[i]) head.add_buckets(i);
  }
  Parts parts(std::move(head));
  for (const auto& [key, entry] : entries_) {
    if (!entry.body || !differs[entry.bucket]) continue;
    parts.added(add(parts.batch(), key, entry, now));
  }
  return parts.finish();
}

}  // namespace meshdns::federation
