#include "agent/app/own_place.h"

#include "common/base/text.h"
#include "common/log/log.h"

namespace meshdns::agent::app {

std::string place_source(const Configuration& configuration, const model::Node& described) {
  const auto& written = configuration.file.locality();
  const auto& machine = configuration.machine_place;
  std::vector<std::string> out;
  const bool by_file =
      !written.network().empty() || !written.region().empty() || !written.zone().empty() || !written.subzone().empty();
  if (by_file) out.emplace_back("agent.yaml");
  const auto& place = configuration.node.locality;
  const bool by_machine = machine && (place.region != written.region() || place.zone != written.zone() ||
                                      place.subzone != written.subzone());
  if (by_machine) out.push_back(machine->source);
  if (described.locality != place) out.emplace_back("Kubernetes");
  if (out.empty() && machine) return "unknown: " + machine->problem;
  return join(out, ", ");
}

void log_place(const Configuration& configuration) {
  if (!configuration.machine_place) return;
  const auto& found = *configuration.machine_place;
  if (found.problem.empty()) {
    log::info("locality found", {{"source", found.source}, {"locality", configuration.node.locality.text()}});
  } else if (configuration.kubernetes) {
    log::info("locality is left to kubernetes", {{"reason", found.problem}});
  } else {
    log::warn("locality not found: write it into agent.yaml", {{"reason", found.problem}});
  }
}

void collect_place(const Configuration& configuration, const model::Node& described,
                   std::vector<metrics::Sample>& out) {
  if (!configuration.machine_place) return;
  metrics::gauge(out, "meshdns_agent_region_known", "1 if `locality: auto` has found a region", {},
                 described.locality.region.empty() ? 0.0 : 1.0);
}

}  // namespace meshdns::agent::app
