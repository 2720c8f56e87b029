#include "agent/app/watched_sockets.h"

#include <variant>

#include "agent/app/pod_checks.h"

namespace meshdns::agent::app {
namespace {

/// Adds where a check connects to.
struct Collector {
  WatchedSockets& out;

  void operator()(const probes::GroupCheck& check) const {
    for (const auto& part : check.parts) std::visit(*this, part);
  }
  template <class Check>
  void operator()(const Check& check) const {
    if constexpr (requires { check.to; }) {
      if (check.to.address) out.addresses.insert(*check.to.address);
      if (is_udp(check)) out.udp_ports.insert(check.to.port);
    }
  }

  static bool is_udp(const probes::UdpCheck&) { return true; }
  static bool is_udp(const probes::DnsCheck& check) { return !check.tcp; }
  template <class Check>
  static bool is_udp(const Check&) {
    return false;
  }
};

void add(const discovery::Discovered& found, bool with_addresses, WatchedSockets& out) {
  if (with_addresses) out.addresses.insert(found.endpoint.addresses.begin(), found.endpoint.addresses.end());
  for (const model::Port& port : found.endpoint.ports) {
    if (port.protocol == "UDP") out.udp_ports.insert(port.number);
  }
  for (const auto& check : found.checks) std::visit(Collector{out}, check.what);
}

}  // namespace

WatchedSockets watched_sockets(const std::vector<discovery::Discovered>& listed,
                               const std::vector<discovery::PodEndpoint>& pods) {
  WatchedSockets out;
  for (const auto& found : listed) add(found, true, out);
  for (const auto& pod : pods) {
    const auto found = watched_pod(pod);
    if (!found.checks.empty()) add(found, !pod.host_network, out);
  }
  return out;
}

}  // namespace meshdns::agent::app
