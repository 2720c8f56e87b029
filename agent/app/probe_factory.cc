#include "agent/app/probe_factory.h"

#include "agent/probes/alias_probe.h"
#include "agent/probes/dns_probe.h"
#include "agent/probes/exec_probe.h"
#include "agent/probes/group_probe.h"
#include "agent/probes/grpc_probe.h"
#include "agent/probes/http_probe.h"
#include "agent/probes/none_probe.h"
#include "agent/probes/systemd_probe.h"
#include "agent/probes/tcp_probe.h"
#include "agent/probes/ttl_probe.h"
#include "agent/probes/udp_probe.h"
#include "common/base/random_seed.h"

namespace meshdns::agent::app {

namespace {

/// Returns the probe of a check's kind; one call for each kind of check.h.
struct Maker {
  ProbeParts parts;
  probes::Place place;

  SocketAddress at(const probes::Target& to) const { return {to.address.value_or(place.address), to.port}; }

  std::unique_ptr<probes::Probe> operator()(const probes::TcpCheck& check) const {
    return std::make_unique<probes::TcpProbe>(parts.loop, at(check.to), check, &parts.tls);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::HttpCheck& check) const {
    return std::make_unique<probes::HttpProbe>(parts.loop, at(check.to), check, &parts.tls);
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
  std::unique_ptr<probes::Probe> operator()(const probes::ExecCheck& check) const {
    return std::make_unique<probes::ExecProbe>(parts.loop, check, parts.programs);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::SystemdCheck& check) const {
    return std::make_unique<probes::SystemdProbe>(parts.loop, parts.units, check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::TtlCheck& check) const {
    return std::make_unique<probes::TtlProbe>(probes::TtlProbe::Parts{parts.clock, parts.loop, parts.pushes},
                                              place.endpoint, check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::AliasCheck& check) const {
    return std::make_unique<probes::AliasProbe>(parts.loop, parts.services,
                                                probes::ServiceBoard::Name{place.namespace_, place.service}, check);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::NoneCheck&) const {
    return std::make_unique<probes::NoneProbe>(parts.loop);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::GroupCheck& group) const {
    std::vector<probes::GroupPart> made_by;
    for (const probes::PartCheck& part : group.parts) {
      made_by.push_back({probes::kind_name(part), [maker = *this, part] { return std::visit(maker, part); }});
    }
    return std::make_unique<probes::GroupProbe>(std::move(made_by), group.needed);
  }
};

}  // namespace

std::unique_ptr<probes::Probe> make_probe(const ProbeParts& parts, const probes::Place& place,
                                          const discovery::CheckSpec& check) {
  return std::visit(Maker{parts, place}, check.what);
}

}  // namespace meshdns::agent::app
