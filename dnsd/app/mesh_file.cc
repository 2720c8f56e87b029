#include "dnsd/app/mesh_file.h"

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/log/log.h"
#include "common/net/socket_address.h"

namespace meshdns::app {
namespace {

constexpr const char* kSource = MeshFile::kManager;

model::Node node_of(const config::v1::MeshNode& file) {
  model::Node out;
  out.key = file.cluster() + "/" + file.name();
  out.locality = convert::to_locality(file.locality());
  out.locality.cluster = file.cluster();
  out.locality.node = file.name();
  for (const std::string& text : file.addresses()) {
    if (const auto address = IpAddress::parse(text)) out.addresses.push_back(*address);
  }
  for (const std::string& text : file.prefixes()) {
    if (const auto prefix = Prefix::parse(text)) out.prefixes.push_back(*prefix);
  }
  return out;
}

model::HealthState state_of(const std::string& word) {
  using enum model::HealthState;
  for (const auto state : {Pending, Serving, Draining, Failing}) {
    if (ascii_lower(model::health_state_name(state)) == word) return state;
  }
  return Serving;
}

model::Endpoint endpoint_of(const config::v1::MeshEndpoint& file, const model::Node& node, TimePoint now) {
  model::Endpoint out;
  out.node = node.key;
  out.source = kSource;
  out.namespace_ = file.namespace_();
  out.service = file.service();
  out.labels = {file.labels().begin(), file.labels().end()};
  if (const auto address = IpAddress::parse(file.address())) {
    out.addresses = {*address};
  } else {
    out.addresses = node.addresses;
  }
  for (const auto& port : file.ports()) {
    out.ports.push_back({port.name(), static_cast<std::uint16_t>(port.number()), port.protocol(), port.app_protocol()});
  }
  out.weight = file.weight();
  out.health.state = state_of(file.state());
  out.health.since = now;
  const IpAddress first = out.addresses.empty() ? IpAddress{} : out.addresses.front();
  out.key = node.key + "/" + out.namespace_ + "/" + out.service + "/" +
            SocketAddress{first, out.ports.empty() ? std::uint16_t{0} : out.ports.front().number}.text();
  return out;
}

void warn(const catalog::Refusal& refusal) {
  log::warn("endpoints_file refused", {{"key", refusal.key}, {"field", refusal.field}, {"reason", refusal.reason}});
}

}  // namespace

void MeshFile::apply(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds) {
  std::set<std::string> nodes;
  for (const auto& file : configuration.mesh_nodes) {
    const model::Node node = node_of(file);
    if (const auto refusal = catalog_.put_node(node, now)) {
      warn(*refusal);
      continue;
    }
    nodes.insert(node.key);
    std::vector<model::Endpoint> endpoints;
    for (const auto& endpoint : file.endpoints()) endpoints.push_back(endpoint_of(endpoint, node, now));
    for (const auto& refusal : catalog_.apply_full(node.key, endpoints, {kSource}, now)) warn(refusal);
  }
  for (const std::string& node : nodes_) {
    if (!nodes.contains(node)) catalog_.withdraw(node, now);
  }
  nodes_ = std::move(nodes);
  apply_objects(configuration, now, unix_seconds);
}

void MeshFile::apply_objects(const Configuration& configuration, TimePoint now, std::int64_t unix_seconds) {
  v1::ApplyRequest request;
  request.set_manager(kSource);
  std::set<std::string> keys;
  for (const v1::Object& object : configuration.mesh_objects) {
    *request.add_objects() = object;
    keys.insert(convert::object_key(object));
  }
  Objects::Change change;
  const v1::ApplyReply reply = objects_.check(request, unix_seconds, change);
  for (const auto& result : reply.results()) {
    if (result.outcome() != v1::ApplyResult::REFUSED) continue;
    log::warn("endpoints_file refused", {{"key", result.key()}, {"reason", result.error()}});
  }
  for (const auto& [key, object] : objects_.all()) {
    if (object.metadata().manager() == kSource && !keys.contains(key)) change.erase.push_back(key);
  }
  objects_.commit(change, now);
}

}  // namespace meshdns::app
