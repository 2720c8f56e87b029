#include "dnsd/answers/host.h"

namespace meshdns::answers {
namespace {

topology::Candidate candidate_of(const Host& host, std::size_t index) {
  const EndpointRow& row = host.rows()[index];
  const EndpointTraits& traits = host.traits(row);
  topology::Candidate out;
  if (traits.has_v4) out.v4 = IpAddress::v4_bytes(row.v4);
  if (traits.has_v6) out.v6 = IpAddress::v6_bytes(host.v6(index));
  if (traits.out_v4) out.out = IpAddress::v4_bytes(row.v4);
  if (traits.out_v6) out.out = IpAddress::v6_bytes(host.v6(index));
  out.port = traits.port;
  for (std::size_t port = 0; port < host.ports().size(); ++port) out.ports.push_back(host.port_number(port, index));
  out.locality = host.locality(row);
  out.weight = traits.weight;
  out.standing = traits.standing;
  out.in_doubt = traits.in_doubt;
  out.known = traits.known;
  out.displaced = traits.displaced;
  out.group = traits.group;
  out.start = traits.start;
  out.why = host.text(traits.why);
  out.since = TimePoint(row.since * Host::kSinceStep);
  return out;
}

}  // namespace

std::uint64_t panic_of(const Host& host, const Set& set) {
  std::uint64_t out = 0;
  const auto loads = host.loads(set);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const std::uint16_t number = host.tiers(set)[i].number;
    if (loads[i].panic != 0 && number < 64) out |= std::uint64_t{1} << number;
  }
  return out;
}

topology::HostPlan plan_of(const Host& host, const std::string& zone) {
  topology::HostPlan out;
  out.name = wire::name_text(host.name());
  out.name.pop_back();  // the root's dot
  out.zone = zone;
  out.object = host.spec->object;
  out.policy = host.spec->policy;
  out.ports = host.spec->host_ports;
  for (std::size_t i = 0; i < host.endpoints().size(); ++i) out.candidates.push_back(candidate_of(host, i));
  if (!host.hostnames) return out;
  for (const Hostnames::Entry& entry : host.hostnames->entries) out.candidates[entry.row].hostname = entry.name;
  return out;
}

}  // namespace meshdns::answers
