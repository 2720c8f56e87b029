#include "dnsd/answers/host.h"

namespace meshdns::answers {
namespace {

topology::Candidate candidate_of(const Host& host, std::size_t index) {
  const EndpointRow& row = host.rows()[index];
  topology::Candidate out;
  if (row.has_v4) out.v4 = IpAddress::v4_bytes(row.v4);
  if (row.v6 != 0) out.v6 = IpAddress::v6_bytes(host.v6(row));
  out.port = row.port;
  for (std::size_t port = 0; port < host.ports().size(); ++port) out.ports.push_back(host.port_number(port, index));
  out.locality = *host.localities[row.locality];
  out.weight = row.weight;
  out.standing = row.standing;
  out.in_doubt = row.in_doubt;
  out.why = host.text(row.why);
  out.since = row.since;
  return out;
}

}  // namespace

std::size_t Host::memory() const noexcept {
  std::size_t out = sizeof(Host) + size_ + localities.capacity() * sizeof(localities[0]);
  for (const std::string& text : texts) out += sizeof text + (text.capacity() > 15 ? text.capacity() + 1 : 0);
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
  for (std::size_t i = 0; i < host.rows().size(); ++i) out.candidates.push_back(candidate_of(host, i));
  return out;
}

}  // namespace meshdns::answers
