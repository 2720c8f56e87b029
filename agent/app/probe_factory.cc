#include "agent/app/probe_factory.h"

#include "agent/probes/exec_probe.h"
#include "agent/probes/http_probe.h"
#include "agent/probes/systemd_probe.h"
#include "agent/probes/tcp_probe.h"

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
  std::unique_ptr<probes::Probe> operator()(const probes::ExecCheck& check) const {
    return std::make_unique<probes::ExecProbe>(parts.loop, check, parts.programs);
  }
  std::unique_ptr<probes::Probe> operator()(const probes::SystemdCheck& check) const {
    return std::make_unique<probes::SystemdProbe>(parts.loop, parts.units, check);
  }
};

}  // namespace

std::unique_ptr<probes::Probe> make_probe(const ProbeParts& parts, const IpAddress& address,
                                          const discovery::CheckSpec& check) {
  return std::visit(Maker{parts, address}, check.what);
}

}  // namespace meshdns::agent::app
