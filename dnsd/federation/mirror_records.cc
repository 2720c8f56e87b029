// The part of Mirror that handles single records: takes one, removes one, encodes its body.
#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/convert/object_convert.h"
#include "common/convert/peer_bounds.h"
#include "common/convert/record_convert.h"
#include "common/convert/report_convert.h"
#include "common/model/limits.h"
#include "common/model/memberships.h"
#include "dnsd/federation/mirror.h"
#include "dnsd/federation/record_codec.h"

namespace meshdns::federation {
namespace {

using catalog::RecordType;

Duration age_of(const v1::Record& record) {
  return convert::from_wire(record.in_state(), Duration::zero(), convert::kLongestState);
}

v1::Nack nack_of(const v1::Record& record, const Error& error) {
  v1::Nack nack;
  nack.set_type(record.type());
  nack.set_key(record.key());
  nack.set_code(v1::Nack::INVALID);
  nack.set_reason(error.message());
  return nack;
}

Result<void> taken(const std::optional<catalog::Refusal>& refusal) {
  if (refusal) return Error(Code::InvalidArgument, refusal_text(*refusal));
  return {};
}

std::string object_key_text(RecordType type, const std::string& key) {
  return std::string(record_type_name(type)) + "/" + key;
}

}  // namespace

bool Mirror::fits(const Key& key) const {
  const bool exempt = key.first == RecordType::Node || key.first == RecordType::NodeStatus;
  return exempt || held_.contains(key) || catalog_.has_room();
}

std::optional<TimePoint> Mirror::since_of(const Key& key) const {
  const model::Records& records = catalog_.records();
  if (key.first == RecordType::Endpoint) {
    const auto found = records.endpoints.find(key.second);
    if (found != records.endpoints.end()) return found->second.health.since;
  } else if (key.first == RecordType::NodeStatus) {
    const auto found = records.statuses.find(key.second);
    if (found != records.statuses.end()) return found->second.since;
  }
  return std::nullopt;
}

bool Mirror::same(const Key& key, std::uint64_t hash, const v1::Record& record, TimePoint now) const {
  const HeldRecords::Record* held = held_.find(key.first, key.second);
  if (held == nullptr || held->hash != hash) return false;
  const auto since = since_of(key);
  if (!since) return true;
  const Duration off = *since - (now - age_of(record));
  return -kSameMoment <= off && off <= kSameMoment;
}

std::optional<v1::Nack> Mirror::put(const v1::Record& record, TimePoint now) {
  const auto type = catalog::record_type_named(record.type());
  if (!type) return std::nullopt;  // a newer federation's type
  const Key key{*type, record.key()};
  if (!fits(key)) {
    short_of_records_ = true;
    catalog_.note_refused_for_room();
    return std::nullopt;
  }
  HeldRecords::Record* held = held_.find(*type, key.second);
  // a record that a broken fill left does not count as held: the provisional one replaces it
  const bool counts = held != nullptr && !(arriving_->fill && held->set != set_);
  // the origin writes its store late: the version that we hold may be newer than its provisional one
  if (record.provisional() && counts) return std::nullopt;
  const std::uint64_t hash = convert::record_hash(key.second, record.body());
  if (held != nullptr && same(key, hash, record, now)) {
    held->revision = record.revision();
    held->set = set_;
    return std::nullopt;
  }
  const TimePoint since = now - age_of(record);
  if (*type == RecordType::Endpoint) note_service_of(key.second);  // the endpoint may move to another service
  if (auto done = decode(key, record.body(), since); !done) return nack_of(record, done.error());
  hold(key, record, hash);
  return std::nullopt;
}

void Mirror::hold(const Key& key, const v1::Record& record, std::uint64_t hash) {
  if (encoded(key) == record.body()) {
    verbatim_.erase(key);
  } else {
    verbatim_[key] = record.body();
  }
  const HeldRecords::Record held{record.revision(), hash, set_, HeldRecords::bucket_of(key.first, key.second)};
  if (key.first != RecordType::Endpoint) return held_.put(key.first, key.second, held);
  const auto& endpoints = catalog_.records().endpoints;
  const auto lasting = endpoints.find(key.second);
  MESHDNS_CHECK(lasting != endpoints.end());
  held_.put(key.first, lasting->first, held);
}

Result<void> Mirror::decode(const Key& key, const std::string& body, TimePoint since) {
  if (body.size() > model::kMostRecordBytes) {
    return Error(Code::InvalidArgument, "body: " + std::to_string(body.size()) + " bytes, more than a record may have");
  }
  return catalog::RecordKinds::visit(key.first, [&](auto kind) -> Result<void> {
    if constexpr (kind.kObject) {
      return decode_object(key, body);
    } else {
      const auto record = federation::decode(kind, key.second, body, since);
      if (!record) return record.error();
      return taken(federation::put(catalog_, *record));
    }
  });
}

Result<void> Mirror::decode_object(const Key& key, const std::string& body) {
  const auto object = convert::object_of(body);
  if (!object) return object.error();
  const auto take = [&](const auto& meaning) -> Result<void> {
    if (!meaning) return meaning.error();
    if (meaning->meta.key() != key.second) return Error(Code::InvalidArgument, "key: the body is of another record");
    return taken(catalog_.mirror(*meaning));
  };
  const auto done = key.first == RecordType::Cluster    ? take(convert::to_cluster(*object))
                    : key.first == RecordType::Override ? take(convert::to_override(*object))
                                                        : take(convert::to_virtual_destination(*object));
  if (!done) return done.error();
  objects_(object_key_text(key.first, key.second), &*object);
  return {};
}

std::optional<std::string> Mirror::encoded(const Key& key) const {
  auto record = federation::encoded(catalog_.records(), key.first, key.second);
  if (record) return std::move(record->body);
  // a held service may be gone from the catalog with its last endpoint
  if (key.first == RecordType::Service) return convert::service_body(catalog::service_key_of(key.second));
  return std::nullopt;
}

std::string Mirror::body_of(const Key& key) const {
  const auto kept = verbatim_.find(key);
  return kept != verbatim_.end() ? kept->second : encoded(key).value_or("");
}

void Mirror::remove(const Key& key) {
  // copied: `key` may refer into the entry that is erased
  const Key gone = key;
  const bool held = held_.erase(gone.first, gone.second);
  if (gone.first == RecordType::Service) {
    // also if it is not held: an endpoint that came before its service has created it in the catalog
    orphans_.insert(gone.second);
    verbatim_.erase(gone);
    return;
  }
  if (!held) return;
  verbatim_.erase(gone);
  if (gone.first == RecordType::Endpoint) note_service_of(gone.second);
  catalog_.unmirror(gone.first, gone.second);
  if (catalog::is_object(gone.first)) objects_(object_key_text(gone.first, gone.second), nullptr);
}

void Mirror::note_service_of(const std::string& endpoint) {
  const auto& endpoints = catalog_.records().endpoints;
  const auto found = endpoints.find(endpoint);
  if (found == endpoints.end()) return;
  for (const auto& service : services_of(found->second)) orphans_.insert(catalog::service_key_text(service));
}

void Mirror::remove_orphans() {
  const auto& services = catalog_.records().services;
  std::erase_if(orphans_, [&](const std::string& key) {
    if (held_.contains({RecordType::Service, key})) return true;
    const auto found = services.find(catalog::service_key_of(key));
    // an additive set removes nothing: we may have an endpoint of the service that the origin does not know
    if (found != services.end() && found->second.endpoints > 0) return false;
    if (found != services.end()) catalog_.unmirror(RecordType::Service, key);
    return true;
  });
}

}  // namespace meshdns::federation
