#include "dnsd/topology/host_plan.h"

#include <set>
#include <utility>

#include "common/net/socket_address.h"

namespace meshdns::topology {

std::string_view standing_name(Standing standing) {
  switch (standing) {
    case Standing::Serving: return "serving";
    case Standing::Draining: return "draining";
    case Standing::Silent: return "silent";
    case Standing::Failing: return "failing";
    case Standing::Out: return "out";
  }
  return "out";
}

bool is_seen(const model::Locality& client, const Candidate& candidate) {
  return candidate.exported || same(client, candidate.locality, model::Part::Cluster);
}

bool has_twins(const HostPlan& host) {
  for (std::size_t port = 0; port < host.ports.size(); ++port) {
    std::set<std::pair<IpAddress, std::uint16_t>> targets;
    for (const Candidate& candidate : host.candidates) {
      const auto& address = candidate.v4 ? candidate.v4 : candidate.v6;
      const std::uint16_t number = port < candidate.ports.size() ? candidate.ports[port] : std::uint16_t{0};
      if (address && number != 0 && !targets.emplace(*address, number).second) return true;
    }
  }
  return false;
}

std::string Candidate::address_text() const {
  const bool out_names_it = !v4 && out && (out->is_v4() || !v6);
  const IpAddress address = v4 ? *v4 : out_names_it ? *out : v6.value_or(IpAddress{});
  return SocketAddress{address, port}.text();
}

}  // namespace meshdns::topology
