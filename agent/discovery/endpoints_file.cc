#include "agent/discovery/endpoints_file.h"

#include <algorithm>

#include "agent/discovery/check_reader.h"
#include "common/base/text.h"
#include "common/net/socket_address.h"

namespace meshdns::discovery {
namespace {

using config::Problem;
using config::Problems;
namespace v1 = config::v1;

model::Endpoint endpoint_of(const v1::EndpointEntry& entry, const Defaults& defaults) {
  model::Endpoint out;
  out.source = "static";
  out.namespace_ = entry.namespace_();
  out.service = entry.service();
  out.labels = model::Labels{entry.labels().begin(), entry.labels().end()};
  out.addresses = defaults.addresses;
  if (!entry.address().empty()) out.addresses = {IpAddress::parse(entry.address()).value()};
  if (entry.addresses_size() > 0) out.addresses.clear();
  for (const std::string& address : entry.addresses()) out.addresses.push_back(IpAddress::parse(address).value());
  for (const auto& port : entry.ports()) {
    out.ports.push_back({port.name(), static_cast<std::uint16_t>(port.number()), port.protocol(), port.app_protocol()});
  }
  out.weight = entry.weight();
  return out;
}

std::vector<CheckSpec> checks_of(const model::Endpoint& endpoint, const v1::EndpointEntry& entry) {
  std::vector<CheckSpec> out;
  for (const auto& check : entry.checks()) out.push_back(check_of(endpoint, check));
  if (!out.empty()) return out;
  const auto port = std::find_if(endpoint.ports.begin(), endpoint.ports.end(),
                                 [](const model::Port& candidate) { return candidate.protocol == "TCP"; });
  if (port != endpoint.ports.end()) out.push_back({.what = probes::TcpCheck{.to = {port->number, {}}}});
  return out;
}

Discovered discovered(const v1::EndpointEntry& entry, const Defaults& defaults) {
  Discovered out;
  out.endpoint = endpoint_of(entry, defaults);
  if (!out.endpoint.addresses.empty()) {
    const SocketAddress first{out.endpoint.addresses.front(), out.endpoint.ports.front().number};
    out.key = out.endpoint.namespace_ + "/" + out.endpoint.service + "/" + first.text();
    out.endpoint.key = out.key;
  }
  out.checks = checks_of(out.endpoint, entry);
  return out;
}

/// Returns a problem that shows only after the defaults are filled in; empty = there is none.
std::string what_is_missing(const Discovered& found) {
  if (found.endpoint.addresses.empty()) return "address is missing, and the node has none";
  if (found.checks.empty()) return "checks is missing: an endpoint without a TCP port has no check by default";
  return {};
}

}  // namespace

config::Loaded<std::vector<Discovered>> endpoints_of(const v1::EndpointsFile& loaded, const std::string& file,
                                                     const Defaults& defaults) {
  std::vector<Discovered> out;
  Problems problems;
  for (const auto& entry : loaded.endpoints()) {
    out.push_back(discovered(entry, defaults));
    const std::string missing = what_is_missing(out.back());
    const std::string path = "endpoints[" + std::to_string(out.size() - 1) + "]";
    if (!missing.empty()) problems.push_back({file, 0, 0, path, missing});
  }
  if (!problems.empty()) return problems;
  return out;
}

config::Loaded<std::vector<Discovered>> read_endpoints(const std::string& text, const std::string& file,
                                                       const Defaults& defaults) {
  // An empty file must not withdraw endpoints: many programs empty a file before they write it.
  if (trim(text).empty()) return Problems{{file, 0, 0, "", "the file is empty; \"endpoints: []\" lists none"}};
  const auto loaded = config::load_endpoints(text, file);
  if (!loaded) return loaded.error();
  return endpoints_of(*loaded, file, defaults);
}

}  // namespace meshdns::discovery
