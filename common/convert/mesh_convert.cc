#include "common/convert/mesh_convert.h"

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/net/socket_address.h"

namespace meshdns::convert {
namespace {

model::HealthState state_of(const std::string& word) {
  using enum model::HealthState;
  for (const auto state : {Pending, Serving, Draining, Failing}) {
    if (ascii_lower(model::health_state_name(state)) == word) return state;
  }
  return Serving;
}

}  // namespace

model::Node to_node(const config::v1::MeshNode& file) {
  model::Node out;
  out.key = file.cluster() + "/" + file.name();
  out.locality = to_locality(file.locality());
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

model::Endpoint to_endpoint(const config::v1::MeshEndpoint& file, const model::Node& node, const std::string& source,
                            TimePoint now) {
  model::Endpoint out;
  out.node = node.key;
  out.source = source;
  out.namespace_ = file.namespace_();
  out.service = file.service();
  out.labels = model::Labels{file.labels().begin(), file.labels().end()};
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

}  // namespace meshdns::convert
