#include "agent/app/pod_checks.h"

namespace meshdns::agent::app {

discovery::Discovered watched_pod(const discovery::PodEndpoint& pod) {
  discovery::Discovered out = pod.found;
  if (out.endpoint.service.empty()) return out;
  for (const model::Port& port : out.endpoint.ports) {
    if (port.protocol != "TCP") continue;
    discovery::CheckSpec& check = out.checks.edit().emplace_back();
    check.what = probes::TcpCheck{.to = {port.number, {}}};
    check.settings.interval = kEvidenceInterval;
    check.evidence = true;
  }
  return out;
}

}  // namespace meshdns::agent::app
