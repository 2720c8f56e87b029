#include "dnsd/persistence/stored_record.h"

#include "common/convert/record_convert.h"

namespace meshdns::persistence {

using catalog::RecordType;

bool is_stored(RecordType type) { return !catalog::is_object(type); }

std::optional<store::StoredRecord> stored_record(const model::Records& records, RecordType type, const std::string& key,
                                                 const StoredAt& at) {
  store::StoredRecord out{std::string(record_type_name(type)), key, "", at.unix_seconds};
  if (type == RecordType::Node) {
    const auto found = records.nodes.find(key);
    if (found == records.nodes.end()) return std::nullopt;
    out.body = convert::node_body(found->second);
  } else if (type == RecordType::NodeStatus) {
    const auto found = records.statuses.find(key);
    if (found == records.statuses.end()) return std::nullopt;
    model::NodeStatus status = found->second;
    if (!status.silent) {  // after a start the leases say anew whether it is late
      status.in_doubt = false;
      status.held.clear();
      if (status.empty()) return std::nullopt;
    }
    out.body = convert::status_body(status);
    out.unix_seconds -= (at.now - found->second.since) / 1s;
  } else if (type == RecordType::Service) {
    const model::ServiceKey service = catalog::service_key_of(key);
    const auto found = records.services.find(service);
    if (found == records.services.end()) return std::nullopt;
    out.body = convert::service_body(service, found->second.created);
  } else if (type == RecordType::ClusterStatus) {
    const auto found = records.cluster_statuses.find(key);
    if (found == records.cluster_statuses.end()) return std::nullopt;
    out.body = convert::cluster_status_body(found->second);
  } else if (type == RecordType::ExternalName) {
    const auto found = records.external_names.find(key);
    if (found == records.external_names.end()) return std::nullopt;
    out.body = convert::external_name_body(found->second);
  } else {
    const auto found = records.endpoints.find(key);
    if (found == records.endpoints.end()) return std::nullopt;
    out.body = convert::endpoint_body(found->second);
    out.unix_seconds -= (at.now - found->second.health.since) / 1s;
    if (at.digest_of != nullptr && *at.digest_of) out.digest = (*at.digest_of)(found->second);
  }
  return out;
}

}  // namespace meshdns::persistence
