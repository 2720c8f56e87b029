#include "agent/app/probe_factory.h"

#include "agent/probes/dns_probe.h"
#include "agent/probes/grpc_probe.h"
#include "agent/probes/http_probe.h"
#include "agent/probes/tcp_probe.h"
#include "agent/probes/udp_probe.h"
#include "common/base/random_seed.h"

namespace meshdns::agent::app {

namespace {

/// Returns the probe of a check's kind; one call for each kind of check.h.
struct Maker {
  const ProbeParts& parts;
  const IpAddress& address;

  SocketAddress at(const probes::Target& to) const { return {to.address.value_or(address), to.port}; }

  std::unique_ptr<probes::Probe> operator()(const probes::TcpCheck& check) const {
    return std::make_unique<probes::TcpProbe>(parts.loop, at(check.to), check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::HttpCheck& check) const {
    return std::make_unique<probes::HttpProbe>(parts.loop, at(check.to), check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::GrpcCheck& check) const {
    return std::make_unique<probes::GrpcProbe>(parts.loop, parts.grpc, at(check.to), check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::UdpCheck& check) const {
    return std::make_unique<probes::UdpProbe>(parts.loop, at(check.to), check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::DnsCheck& check) const {
    return std::make_unique<probes::DnsProbe>(parts.loop, at(check.to), check, random_seed());
  }
};

}  // namespace

std::unique_ptr<probes::Probe> make_probe(const ProbeParts& parts, const IpAddress& address,
                                          const discovery::CheckSpec& check) {
  return std::visit(Maker{parts, address}, check.what);
}

}  // namespace meshdns::agent::app
