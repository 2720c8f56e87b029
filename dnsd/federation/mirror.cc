#include "dnsd/federation/mirror.h"

#include <algorithm>
#include <utility>

#include "common/convert/report_convert.h"
#include "dnsd/federation/feed.h"

namespace meshdns::federation {

using catalog::RecordType;

Result<void> Mirror::check(const v1::Batch& batch) const {
  if (batch.kind() != v1::Batch::DELTA) return {};
  const bool ours = batch.epoch() == epoch_ && batch.origin().cluster() == origin_.cluster() &&
                    batch.origin().instance() == origin_.instance();
  const bool follows = ours && batch.from() <= revision_ && batch.to() >= revision_;
  if (follows) return {};
  return Error(Code::FailedPrecondition,
               "a delta from " + std::to_string(batch.from()) + " does not follow on " + std::to_string(revision_));
}

bool Mirror::is_covered(std::uint32_t bucket) const {
  if (arriving_->kind == v1::Batch::DELTA) return false;
  return arriving_->kind == v1::Batch::SNAPSHOT || arriving_->buckets[bucket];
}

HeldRecords::Count Mirror::covered() const {
  if (arriving_->kind == v1::Batch::SNAPSHOT) return held_.total();
  HeldRecords::Count out;
  for (std::uint32_t i = 0; i < Feed::kBuckets; ++i) {
    if (!is_covered(i)) continue;
    out.records += held_.in_bucket(i).records;
    out.endpoints += held_.in_bucket(i).endpoints;
  }
  return out;
}

std::string Mirror::guard(const v1::Batch& batch) const {
  if (batch.kind() == v1::Batch::DELTA || batch.additive() || arriving_->fill) return {};
  if (batch.authoritative_shrink() || shrink_approved_) return {};
  const std::size_t endpoints = held_.total().endpoints;
  if (endpoints < kGuardedEndpoints) return {};
  const std::size_t gone = covered().endpoints - arriving_->named.endpoints;
  if (gone * 2 <= endpoints) return {};
  return std::to_string(gone) + " of " + std::to_string(endpoints) + " endpoints would go";
}

void Mirror::begin(const v1::Batch& first) {
  if (first.kind() != v1::Batch::DELTA) ++set_;
  Arriving arriving;
  arriving.kind = first.kind();
  arriving.fill = empty() && first.kind() != v1::Batch::DELTA;
  arriving.buckets.resize(Feed::kBuckets);
  for (const std::uint32_t bucket : first.buckets()) {
    if (bucket < Feed::kBuckets) arriving.buckets[bucket] = true;
  }
  arriving_ = std::move(arriving);
}

Result<std::vector<v1::Nack>> Mirror::apply(const v1::Batch& part, TimePoint now) {
  if (part.part() == 0) begin(part);
  if (!arriving_ || part.part() != arriving_->parts) {
    arriving_.reset();
    return Error(Code::FailedPrecondition, "a batch without its first part, or without one between");
  }
  ++arriving_->parts;
  if (const std::string much = take_in(part); !much.empty()) {
    arriving_.reset();
    return Error(Code::FailedPrecondition, "a batch has too much: " + much);
  }
  if (part.last()) {
    auto taken = finish(part, now);
    arriving_.reset();
    return taken;
  }
  if (arriving_->fill) {
    put_all(part, now);
  } else {
    mark(part);
    stage(part, now);
  }
  return std::vector<v1::Nack>{};
}

std::string Mirror::take_in(const v1::Batch& part) {
  Arriving& batch = *arriving_;
  batch.pieces += static_cast<std::size_t>(part.records_size() + part.removals_size());
  if (batch.pieces > bounds_.pieces) return "more than " + std::to_string(bounds_.pieces) + " records and removals";
  for (const v1::Removal& removal : part.removals()) {
    const auto type = catalog::record_type_named(removal.type());
    if (!type || !batch.removals.emplace(*type, removal.key()).second) continue;
    batch.removal_bytes += removal.key().size();
  }
  if (batch.removal_bytes > bounds_.removal_bytes) {
    return "removals of more than " + std::to_string(bounds_.removal_bytes) + " bytes";
  }
  if (batch.staged_bytes > bounds_.staged_bytes) {
    return "records of more than " + std::to_string(bounds_.staged_bytes) + " bytes without a last part";
  }
  return "";
}

void Mirror::mark(const v1::Batch& part) {
  for (const v1::Record& record : part.records()) {
    const auto type = catalog::record_type_named(record.type());
    HeldRecords::Record* held = type ? held_.find(*type, record.key()) : nullptr;
    if (held == nullptr || std::exchange(held->set, set_) == set_ || !is_covered(held->bucket)) continue;
    ++arriving_->named.records;
    if (*type == RecordType::Endpoint) ++arriving_->named.endpoints;
  }
}

void Mirror::stage(const v1::Batch& part, TimePoint now) {
  v1::Batch different;
  for (const v1::Record& record : part.records()) {
    const auto type = catalog::record_type_named(record.type());
    if (!type) continue;
    const std::uint64_t hash = convert::record_hash(record.key(), record.body());
    if (!same({*type, record.key()}, hash, record, now)) *different.add_records() = record;
  }
  if (different.records_size() == 0) return;
  arriving_->staged.push_back({now, different.SerializeAsString()});
  arriving_->staged_bytes += arriving_->staged.back().records.size();
}

void Mirror::put_all(const v1::Batch& part, TimePoint now) {
  for (const v1::Record& record : part.records()) {
    auto nack = put(record, now);
    if (!nack) continue;
    ++arriving_->nacked;
    if (arriving_->nacks.size() < kMostNacks) arriving_->nacks.push_back(std::move(*nack));
  }
}

void Mirror::remove_missing(bool additive) {
  // the remains of a broken fill never counted as held, so even an additive set removes them
  if (arriving_->fill) {
    for (const Key& key : held_.not_named(set_, [](std::uint16_t) { return true; })) remove(key);
    // an endpoint of the broken fill may have created a service whose own record never came
    for (const auto& [key, service] : catalog_.records().services) orphans_.insert(catalog::service_key_text(key));
    return;
  }
  if (arriving_->kind == v1::Batch::DELTA || additive) return;
  const auto covers = [this](std::uint16_t bucket) { return is_covered(bucket); };
  for (const Key& key : held_.not_named(set_, covers)) remove(key);
}

Result<std::vector<v1::Nack>> Mirror::finish(const v1::Batch& last, TimePoint now) {
  if (!arriving_->fill) mark(last);
  shrink_refused_ = guard(last);
  if (!shrink_refused_.empty()) return Error(Code::FailedPrecondition, shrink_refused_);
  if (auto good = check(last); !good) return good.error();
  // only a set that could have been refused uses the approval up: a delta may come before the set that is meant
  if (last.kind() != v1::Batch::DELTA && !last.additive()) shrink_approved_ = false;
  const bool leaves_out = arriving_->fill || arriving_->named.records < covered().records;
  for (Staged& staged : arriving_->staged) {
    v1::Batch part;
    static_cast<void>(part.ParseFromString(std::exchange(staged.records, {})));  // cannot fail: stage() encoded it
    put_all(part, staged.arrived);
  }
  put_all(last, now);
  // after the records: otherwise a service would go before the endpoint that moves out of it
  if (leaves_out) remove_missing(last.additive());
  // removals come in any order, but a service can only go after its endpoints: remove_orphans() does that
  for (const Key& key : arriving_->removals) remove(key);
  remove_orphans();
  origin_ = last.origin();
  epoch_ = last.epoch();
  revision_ = last.to();
  if (last.kind() != v1::Batch::DELTA) {
    ++sets_;
    additive_ = last.additive();
  }
  catalog_.mirrored(revision_, now);
  if (last.has_serial()) catalog_.set_serial(last.serial());
  if (const std::size_t more = arriving_->nacked - arriving_->nacks.size(); more > 0) {
    v1::Nack& rest = arriving_->nacks.emplace_back();
    rest.set_code(v1::Nack::INVALID);
    rest.set_reason(std::to_string(more) + " more records were refused");
  }
  return std::move(arriving_->nacks);
}

bool Mirror::take_head(const v1::Position& head) {
  const bool same = head.origin().cluster() == origin_.cluster() && head.origin().instance() == origin_.instance() &&
                    head.epoch() == epoch_ && head.revision() == revision_;
  if (!same || !head.has_serial() || head.serial() == catalog_.serial()) return false;
  catalog_.set_serial(head.serial());
  return true;
}

bool Mirror::wants_refill() {
  if (!short_of_records_ || catalog_.full()) return false;
  short_of_records_ = false;
  return true;
}

v1::Position Mirror::position(bool with_buckets) const {
  v1::Position out;
  *out.mutable_origin() = origin_;
  out.set_epoch(epoch_);
  out.set_revision(revision_);
  out.set_serial(catalog_.serial());
  if (!with_buckets) return out;
  if (additive_) out.set_epoch(0);
  out.mutable_buckets()->Add(held_.sums().begin(), held_.sums().end());
  return out;
}

}  // namespace meshdns::federation
