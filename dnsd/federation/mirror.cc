#include "dnsd/federation/mirror.h"

#include <algorithm>
#include <set>
#include <utility>

#include "common/convert/object_convert.h"
#include "common/convert/record_convert.h"
#include "common/convert/report_convert.h"
#include "dnsd/federation/feed.h"

namespace meshdns::federation {
namespace {

using catalog::RecordType;

v1::Nack nack_of(const v1::Record& record, v1::Nack::Code code, const Error& error) {
  v1::Nack nack;
  nack.set_type(record.type());
  nack.set_key(record.key());
  nack.set_code(code);
  nack.set_reason(error.message());
  return nack;
}

std::string object_key_text(RecordType type, const std::string& key) {
  return std::string(record_type_name(type)) + "/" + key;
}

}  // namespace

Result<void> Mirror::check(const v1::Batch& batch) const {
  if (batch.kind() != v1::Batch::DELTA) return {};
  const bool ours = batch.epoch() == epoch_ && batch.origin().cluster() == origin_.cluster() &&
                    batch.origin().instance() == origin_.instance();
  const bool follows = ours && batch.from() <= revision_ && batch.to() >= revision_;
  if (follows) return {};
  return Error(Code::FailedPrecondition,
               "a delta from " + std::to_string(batch.from()) + " does not follow on " + std::to_string(revision_));
}

std::vector<Mirror::Key> Mirror::missing_in(const v1::Batch& batch) const {
  std::set<Key> present;
  for (const v1::Record& record : batch.records()) {
    if (const auto type = catalog::record_type_named(record.type())) present.emplace(*type, record.key());
  }
  const std::set<std::uint32_t> buckets(batch.buckets().begin(), batch.buckets().end());
  std::vector<Key> missing;
  for (const auto& [key, held] : held_) {
    const bool covered = batch.kind() == v1::Batch::SNAPSHOT ||
                         buckets.contains(convert::bucket_of(record_type_name(key.first), key.second, Feed::kBuckets));
    if (covered && !present.contains(key)) missing.push_back(key);
  }
  return missing;
}

std::string Mirror::guard(const v1::Batch& batch) const {
  if (batch.kind() == v1::Batch::DELTA || batch.additive()) return {};
  if (batch.authoritative_shrink() || shrink_approved_) return {};
  const auto is_endpoint = [](const Key& key) { return key.first == RecordType::Endpoint; };
  const std::size_t endpoints = catalog_.records().endpoints.size();
  if (endpoints < kGuardedEndpoints) return {};
  const auto missing = missing_in(batch);
  const auto gone = static_cast<std::size_t>(std::ranges::count_if(missing, is_endpoint));
  if (gone * 2 <= endpoints) return {};
  return std::to_string(gone) + " of " + std::to_string(endpoints) + " endpoints would go";
}

Result<std::vector<v1::Nack>> Mirror::apply(const v1::Batch& batch, TimePoint now) {
  if (batch.part() == 0 && batch.last()) {
    arriving_.reset();
    return apply_whole(batch, now);
  }
  if (batch.part() == 0) {
    arriving_ = batch;
  } else if (arriving_) {
    arriving_->mutable_records()->MergeFrom(batch.records());
    arriving_->mutable_removals()->MergeFrom(batch.removals());
  }
  if (!arriving_) return Error(Code::FailedPrecondition, "a batch without its first part");
  if (!batch.last()) return std::vector<v1::Nack>{};
  const v1::Batch whole = *std::move(arriving_);
  arriving_.reset();
  return apply_whole(whole, now);
}

Result<std::vector<v1::Nack>> Mirror::apply_whole(const v1::Batch& whole, TimePoint now) {
  shrink_refused_ = guard(whole);
  if (!shrink_refused_.empty()) return Error(Code::FailedPrecondition, shrink_refused_);
  if (auto good = check(whole); !good) return good.error();
  shrink_approved_ = false;
  const bool replaces = whole.kind() != v1::Batch::DELTA && !whole.additive() && !held_.empty();
  std::vector<v1::Nack> nacks;
  for (const v1::Record& record : whole.records()) {
    if (auto nack = put(record, now)) nacks.push_back(std::move(*nack));
  }
  // after the records: an endpoint leaves its service before the service goes
  if (replaces) {
    for (const Key& key : missing_in(whole)) remove(key);
  }
  // a service goes after its endpoints, whatever the order in which they went
  std::set<Key> gone;
  for (const v1::Removal& removal : whole.removals()) {
    if (const auto type = catalog::record_type_named(removal.type())) gone.emplace(*type, removal.key());
  }
  for (const Key& key : gone) remove(key);
  remove_orphans();
  origin_ = whole.origin();
  epoch_ = whole.epoch();
  revision_ = whole.to();
  if (whole.kind() != v1::Batch::DELTA) additive_ = whole.additive();
  catalog_.mirrored(revision_, now);
  if (whole.has_serial()) catalog_.set_serial(whole.serial());
  return nacks;
}

bool Mirror::take_head(const v1::Position& head) {
  const bool same = head.origin().cluster() == origin_.cluster() && head.origin().instance() == origin_.instance() &&
                    head.epoch() == epoch_ && head.revision() == revision_;
  if (!same || !head.has_serial() || head.serial() == catalog_.serial()) return false;
  catalog_.set_serial(head.serial());
  return true;
}

bool Mirror::fits(const Key& key) const {
  const bool exempt = key.first == RecordType::Node || key.first == RecordType::NodeStatus;
  return exempt || held_.contains(key) || catalog_.has_room();
}

bool Mirror::wants_refill() {
  if (!short_of_records_ || catalog_.full()) return false;
  short_of_records_ = false;
  return true;
}

std::optional<v1::Nack> Mirror::put(const v1::Record& record, TimePoint now) {
  const auto type = catalog::record_type_named(record.type());
  if (!type) return std::nullopt;  // a kind that newer federations have
  const Key key{*type, record.key()};
  if (!fits(key)) {
    short_of_records_ = true;
    catalog_.note_refused_for_room();
    return nack_of(record, v1::Nack::OVER_QUOTA, Error(Code::ResourceExhausted, "no room for more records"));
  }
  // what we hold may be newer than what the origin had stored
  if (record.provisional() && held_.contains(key)) return std::nullopt;
  const TimePoint since = now - convert::from_wire(record.in_state());
  if (auto done = decode(key, record.body(), since); !done) return nack_of(record, v1::Nack::INVALID, done.error());
  held_[key] = {record.revision(), record.body(), since};
  return std::nullopt;
}

Result<void> Mirror::decode(const Key& key, const std::string& body, TimePoint since) {
  const auto take = [&](auto decoded) -> Result<void> {
    if (!decoded) return decoded.error();
    catalog_.mirror(*decoded);
    return {};
  };
  const auto take_named = [&](auto decoded) -> Result<void> {
    if (!decoded) return decoded.error();
    catalog_.mirror(key.second, *decoded);
    return {};
  };
  switch (key.first) {
    case RecordType::Node: return take(convert::node_of(body));
    case RecordType::Endpoint: return take(convert::endpoint_of(key.second, body, since));
    case RecordType::Service: return take(convert::service_of(body));
    case RecordType::NodeStatus: return take_named(convert::status_of(body, since));
    case RecordType::ClusterStatus: return take_named(convert::cluster_status_of(body));
    case RecordType::ExternalName: return take_named(convert::external_name_of(body));
    case RecordType::VirtualDestination:
    case RecordType::Cluster:
    case RecordType::Override: break;
  }
  return decode_object(key, body);
}

Result<void> Mirror::decode_object(const Key& key, const std::string& body) {
  const auto object = convert::object_of(body);
  if (!object) return object.error();
  const auto take = [&](auto meaning) -> Result<void> {
    if (!meaning) return meaning.error();
    catalog_.mirror(*meaning);
    return {};
  };
  const auto taken = key.first == RecordType::Cluster    ? take(convert::to_cluster(*object))
                     : key.first == RecordType::Override ? take(convert::to_override(*object))
                                                         : take(convert::to_virtual_destination(*object));
  if (!taken) return taken.error();
  objects_(object_key_text(key.first, key.second), &*object);
  return {};
}

void Mirror::remove(const Key& key) {
  const bool held = held_.erase(key) > 0;
  if (key.first == RecordType::Service) {
    // not held, it may be here all the same: an endpoint that was told before its service brought it
    orphans_.insert(key.second);
    return;
  }
  if (!held) return;
  catalog_.unmirror(key.first, key.second);
  if (catalog::is_object(key.first)) objects_(object_key_text(key.first, key.second), nullptr);
}

void Mirror::remove_orphans() {
  const auto& services = catalog_.records().services;
  std::erase_if(orphans_, [&](const std::string& key) {
    if (held_.contains({RecordType::Service, key})) return true;
    const auto found = services.find(catalog::service_key_of(key));
    // an additive set may have left us an endpoint that the origin does not know
    if (found != services.end() && found->second.endpoints > 0) return false;
    if (found != services.end()) catalog_.unmirror(RecordType::Service, key);
    return true;
  });
}

v1::Position Mirror::position(bool with_buckets) const {
  v1::Position out;
  *out.mutable_origin() = origin_;
  out.set_epoch(epoch_);
  out.set_revision(revision_);
  out.set_serial(catalog_.serial());
  if (!with_buckets) return out;
  if (additive_) out.set_epoch(0);
  std::vector<std::uint64_t> buckets(Feed::kBuckets);
  for (const auto& [key, held] : held_) {
    buckets[convert::bucket_of(record_type_name(key.first), key.second, Feed::kBuckets)] +=
        convert::record_hash(key.second, held.body);
  }
  out.mutable_buckets()->Add(buckets.begin(), buckets.end());
  return out;
}

v1::Batch Mirror::snapshot(TimePoint now) const {
  v1::Batch batch;
  *batch.mutable_origin() = origin_;
  batch.set_epoch(epoch_);
  batch.set_to(revision_);
  batch.set_serial(catalog_.serial());
  batch.set_kind(v1::Batch::SNAPSHOT);
  batch.set_last(true);
  batch.set_additive(additive_);
  for (const auto& [key, held] : held_) {
    v1::Record& record = *batch.add_records();
    record.set_type(std::string(record_type_name(key.first)));
    record.set_key(key.second);
    record.set_revision(held.revision);
    record.set_body(held.body);
    *record.mutable_in_state() = convert::to_wire(std::max(Duration::zero(), now - held.since));
  }
  return batch;
}

}  // namespace meshdns::federation
