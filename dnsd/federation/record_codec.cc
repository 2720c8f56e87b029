#include "dnsd/federation/record_codec.h"

#include <utility>

namespace meshdns::federation {
namespace {

template <class Value>
Result<Named<Value>> named(const std::string& key, Result<Value> decoded) {
  if (!decoded) return decoded.error();
  return Named<Value>{key, *std::move(decoded)};
}

/// own: the key that the body says
template <class Record>
Result<Record> checked(Result<Record> decoded, const std::string& own, const std::string& key) {
  if (decoded && own != key) return Error(Code::InvalidArgument, "key: the body is of another record");
  return decoded;
}

}  // namespace

EncodedRecord encode(const std::string&, const model::Node& record) { return {convert::node_body(record)}; }

EncodedRecord encode(const std::string&, const model::NodeStatus& record) {
  return {convert::status_body(record), record.since};
}

EncodedRecord encode(const std::string&, const model::Endpoint& record) {
  return {convert::endpoint_body(record), record.health.since};
}

EncodedRecord encode(const model::ServiceKey& key, const model::Service& record) {
  return {convert::service_body(key, record.created, record.unexported)};
}

EncodedRecord encode(const std::string&, const model::ClusterStatus& record) {
  return {convert::cluster_status_body(record)};
}

EncodedRecord encode(const std::string&, const model::ExternalName& record) {
  return {convert::external_name_body(record)};
}

Result<model::Node> decode(catalog::NodeKind, const std::string& key, std::string_view body, TimePoint) {
  auto node = convert::node_of(body);
  const std::string own = node ? node->key : "";
  return checked(std::move(node), own, key);
}

Result<Named<model::NodeStatus>> decode(catalog::NodeStatusKind, const std::string& key, std::string_view body,
                                        TimePoint since) {
  return named(key, convert::status_of(body, since));
}

Result<model::Endpoint> decode(catalog::EndpointKind, const std::string& key, std::string_view body, TimePoint since) {
  auto endpoint = convert::endpoint_of(key, body, since);
  const std::string own = endpoint ? endpoint->key : "";
  return checked(std::move(endpoint), own, key);
}

Result<convert::NamedService> decode(catalog::ServiceKind, const std::string& key, std::string_view body, TimePoint) {
  auto service = convert::service_of(body);
  const std::string own = service ? catalog::service_key_text(service->key) : "";
  return checked(std::move(service), own, key);
}

Result<Named<model::ClusterStatus>> decode(catalog::ClusterStatusKind, const std::string& key, std::string_view body,
                                           TimePoint) {
  return named(key, convert::cluster_status_of(body));
}

Result<Named<model::ExternalName>> decode(catalog::ExternalNameKind, const std::string& key, std::string_view body,
                                          TimePoint) {
  return named(key, convert::external_name_of(body));
}

std::optional<EncodedRecord> encoded(const model::Records& records, catalog::RecordType type, const std::string& key) {
  return catalog::RecordKinds::visit(type, [&](auto kind) -> std::optional<EncodedRecord> {
    if constexpr (kind.kObject) {
      return std::nullopt;
    } else {
      const auto* found = catalog::find(kind, records, key);
      if (found == nullptr) return std::nullopt;
      return encode(found->first, found->second);
    }
  });
}

}  // namespace meshdns::federation
