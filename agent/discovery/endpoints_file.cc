#include "agent/discovery/endpoints_file.h"

#include <algorithm>
#include <optional>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/net/socket_address.h"

namespace meshdns::discovery {
namespace {

using config::Problem;
using config::Problems;
namespace v1 = config::v1;

Duration duration_of(const google::protobuf::Duration& message) {
  return std::chrono::seconds(message.seconds()) + std::chrono::nanoseconds(message.nanos());
}

model::Endpoint endpoint_of(const v1::EndpointEntry& entry, const Defaults& defaults) {
  model::Endpoint out;
  out.source = "static";
  out.namespace_ = entry.namespace_();
  out.service = entry.service();
  out.labels = model::Labels{entry.labels().begin(), entry.labels().end()};
  out.addresses = defaults.addresses;
  if (!entry.address().empty()) out.addresses = {IpAddress::parse(entry.address()).value()};
  for (const auto& port : entry.ports()) {
    out.ports.push_back({port.name(), static_cast<std::uint16_t>(port.number()), port.protocol(), port.app_protocol()});
  }
  out.weight = entry.weight();
  return out;
}

/// Returns the number of a TCP port that is given by number or name.
/// requires: the endpoint has the port; the reader of the file has checked that
std::uint16_t port_number(const model::Endpoint& endpoint, const std::string& wanted) {
  if (const auto number = parse_uint(wanted)) return static_cast<std::uint16_t>(*number);
  const auto port = std::find_if(endpoint.ports.begin(), endpoint.ports.end(), [&](const model::Port& candidate) {
    return candidate.name == wanted && candidate.protocol == "TCP";
  });
  MESHDNS_CHECK(port != endpoint.ports.end());
  return port->number;
}

health::CheckSettings settings_of(const v1::Check& check) {
  health::CheckSettings out;
  out.interval = duration_of(check.interval());
  out.timeout = duration_of(check.timeout());
  out.rise = check.rise();
  out.fall = check.fall();
  return out;
}

CheckSpec tcp_check(const model::Endpoint& endpoint, const v1::TcpCheck& tcp) {
  return {.kind = CheckSpec::Kind::Tcp, .port = port_number(endpoint, tcp.port())};
}

CheckSpec http_check(const model::Endpoint& endpoint, const v1::HttpCheck& http) {
  CheckSpec out{.kind = CheckSpec::Kind::Http, .port = port_number(endpoint, http.port())};
  out.path = http.path();
  out.host = http.host();
  if (http.status() != 0) out.lowest_status = out.highest_status = static_cast<int>(http.status());
  return out;
}

/// requires: the check has a kind; the reader of the file has checked that
CheckSpec check_of(const model::Endpoint& endpoint, const v1::Check& check) {
  std::optional<CheckSpec> out;
  switch (check.kind_case()) {
    case v1::Check::kTcp: out = tcp_check(endpoint, check.tcp()); break;
    case v1::Check::kHttp: out = http_check(endpoint, check.http()); break;
    case v1::Check::KIND_NOT_SET: break;
  }
  MESHDNS_CHECK(out.has_value());
  out->settings = settings_of(check);
  return *out;
}

std::vector<CheckSpec> checks_of(const model::Endpoint& endpoint, const v1::EndpointEntry& entry) {
  std::vector<CheckSpec> out;
  for (const auto& check : entry.checks()) out.push_back(check_of(endpoint, check));
  if (!out.empty()) return out;
  const auto port = std::find_if(endpoint.ports.begin(), endpoint.ports.end(),
                                 [](const model::Port& candidate) { return candidate.protocol == "TCP"; });
  if (port != endpoint.ports.end()) out.push_back({.port = port->number});
  return out;
}

Discovered discovered(const v1::EndpointEntry& entry, const Defaults& defaults) {
  Discovered out;
  out.endpoint = endpoint_of(entry, defaults);
  out.checks = checks_of(out.endpoint, entry);
  if (out.endpoint.addresses.empty()) return out;
  const SocketAddress first{out.endpoint.addresses.front(), out.endpoint.ports.front().number};
  out.key = out.endpoint.namespace_ + "/" + out.endpoint.service + "/" + first.text();
  out.endpoint.key = out.key;
  return out;
}

/// Returns a problem that shows only after the defaults are filled in; empty = there is none.
std::string what_is_missing(const Discovered& found) {
  if (found.endpoint.addresses.empty()) return "address is missing, and the node has none";
  if (found.checks.empty()) return "checks is missing: an endpoint without a TCP port has no check by default";
  return {};
}

}  // namespace

config::Loaded<std::vector<Discovered>> read_endpoints(const std::string& text, const std::string& file,
                                                       const Defaults& defaults) {
  // An empty file must not withdraw endpoints: many programs empty a file before they write it.
  if (trim(text).empty()) return Problems{{file, 0, 0, "", "the file is empty; \"endpoints: []\" lists none"}};
  const auto loaded = config::load_endpoints(text, file);
  if (!loaded) return loaded.error();
  std::vector<Discovered> out;
  Problems problems;
  for (const auto& entry : loaded->endpoints()) {
    out.push_back(discovered(entry, defaults));
    const std::string missing = what_is_missing(out.back());
    const std::string path = "endpoints[" + std::to_string(out.size() - 1) + "]";
    if (!missing.empty()) problems.push_back({file, 0, 0, path, missing});
  }
  if (!problems.empty()) return problems;
  return out;
}

}  // namespace meshdns::discovery
