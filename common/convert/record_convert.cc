#include "common/convert/record_convert.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "common/base/utf8.h"
#include "common/convert/addresses.h"
#include "common/convert/report_convert.h"
#include "common/model/limits.h"

namespace meshdns::convert {
namespace {

std::string encoded(const google::protobuf::Message& message) {
  std::string out;
  google::protobuf::io::StringOutputStream stream(&out);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return out;
}

template <class Message>
Result<Message> decoded(std::string_view body, const char* what) {
  Message out;
  if (!out.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return Error(Code::InvalidArgument, std::string("body: not a ") + what);
  }
  return out;
}

/// Returns the "cluster/node" of "cluster/node/<the agent's key>"; empty = `key` has another form.
std::string node_part(const std::string& key) {
  const auto first = key.find('/');
  const auto second = first == std::string::npos ? first : key.find('/', first + 1);
  return second == std::string::npos ? "" : key.substr(0, second);
}

}  // namespace

std::string endpoint_body(const model::Endpoint& endpoint) {
  v1::Endpoint out = to_wire(endpoint, endpoint.health.since);
  out.clear_key();  // sent beside the body, as Record.key
  out.mutable_health()->clear_in_state();
  out.mutable_health()->clear_drain_left();
  return encoded(out);
}

std::string node_body(const model::Node& node) { return encoded(to_wire(node)); }

std::string status_body(const model::NodeStatus& status) {
  v1::NodeStatus out;
  out.set_silent(status.silent);
  out.set_in_doubt(status.in_doubt);
  out.set_held(status.held);
  out.set_problem(status.problem);
  out.set_unwatched(status.unwatched);
  return encoded(out);
}

std::string service_body(const model::ServiceKey& service, std::int64_t created, bool unexported) {
  v1::Service out;
  out.set_namespace_(service.namespace_);
  out.set_name(service.name);
  out.set_created(created);
  out.set_unexported(unexported);
  return encoded(out);
}

std::string cluster_status_body(const model::ClusterStatus& status) {
  v1::ClusterStatus out;
  for (const auto& [cluster, distance] : status.distances) (*out.mutable_distances())[cluster] = to_wire(distance);
  write_addresses(status.gateways_down, *out.mutable_gateways_down());
  return encoded(out);
}

std::string external_name_body(const model::ExternalName& name) {
  v1::ExternalName out;
  write_addresses(name.addresses, *out.mutable_addresses());
  return encoded(out);
}

std::string object_body(const v1::Object& object) {
  v1::Object out = object;
  out.mutable_metadata()->clear_revision();
  out.clear_status();
  return encoded(out);
}

Result<model::Endpoint> endpoint_of(const std::string& key, std::string_view body, TimePoint since) {
  auto record = decoded<v1::Endpoint>(body, "Endpoint");
  if (!record) return record.error();
  const std::string node = node_part(key);
  if (node.empty()) return Error(Code::InvalidArgument, "key: \"" + key + "\" names no node");
  record->set_key(key.substr(node.size() + 1));
  auto endpoint = from_wire(*record, node, since);
  if (endpoint) endpoint->health.since = since;
  return endpoint;
}

Result<model::Node> node_of(std::string_view body) {
  const auto record = decoded<v1::Node>(body, "Node");
  if (!record) return record.error();
  return from_wire(*record);
}

Result<model::NodeStatus> status_of(std::string_view body, TimePoint since) {
  const auto record = decoded<v1::NodeStatus>(body, "NodeStatus");
  if (!record) return record.error();
  return model::NodeStatus{.silent = record->silent(),
                           .in_doubt = record->in_doubt(),
                           .since = since,
                           .held = std::string(utf8_prefix(record->held(), model::kLongestText)),
                           .problem = std::string(utf8_prefix(record->problem(), model::kLongestDetail)),
                           .unwatched = record->unwatched()};
}

Result<NamedService> service_of(std::string_view body) {
  const auto record = decoded<v1::Service>(body, "Service");
  if (!record) return record.error();
  return NamedService{{record->namespace_(), record->name()}, record->created(), record->unexported()};
}

Result<model::ClusterStatus> cluster_status_of(std::string_view body) {
  const auto record = decoded<v1::ClusterStatus>(body, "ClusterStatus");
  if (!record) return record.error();
  model::ClusterStatus out;
  for (const auto& [cluster, distance] : record->distances()) {
    const Duration length = from_wire(distance);
    if (length < Duration::zero()) return Error(Code::InvalidArgument, "distances: " + cluster + ": is negative");
    out.distances[cluster] = length;
  }
  const auto down = read_addresses(record->gateways_down(), "gateways_down");
  if (!down) return down.error();
  out.gateways_down.insert(down->begin(), down->end());
  return out;
}

Result<model::ExternalName> external_name_of(std::string_view body) {
  const auto record = decoded<v1::ExternalName>(body, "ExternalName");
  if (!record) return record.error();
  auto addresses = read_addresses(record->addresses());
  if (!addresses) return addresses.error();
  if (addresses->empty()) return Error(Code::InvalidArgument, "addresses: at least one is needed");
  return model::ExternalName{*std::move(addresses)};
}

Result<v1::Object> object_of(std::string_view body) { return decoded<v1::Object>(body, "Object"); }

std::uint32_t bucket_of(std::string_view type, std::string_view key, std::uint32_t count) {
  return static_cast<std::uint32_t>(record_hash(type, key) % count);
}

}  // namespace meshdns::convert
