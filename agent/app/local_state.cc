#include "agent/app/local_state.h"

#include <utility>

#include "agent/app/status.h"

namespace meshdns::agent::app {

LocalState::LocalState(const Clock& clock, Timers& timers, const Configuration& configuration, Monitor::Sink sink)
    : sources(configuration.directory, configuration.state_file("registrations.yaml"),
              discovery::Defaults{configuration.node.addresses}),
      drains(clock, timers, std::move(sink), configuration.state_file("drains")),
      pushes(clock, timers, board, configuration.state_file("pushes")) {}

void LocalState::load() {
  drains.load();
  pushes.load();
  sources.load();
}

void LocalState::collect(std::vector<metrics::Sample>& out) const {
  for (const auto& [source, problems] : sources.problem_counts()) {
    metrics::gauge(out, "meshdns_agent_source_problems", "problems of a source of endpoints", {{"source", source}},
                   static_cast<double>(problems));
  }
  metrics::gauge(out, "meshdns_agent_unread_files",
                 "files of endpoints.d that are wrong or cannot be read, and the folder itself", {},
                 static_cast<double>(unread_files(sources.files())));
  metrics::gauge(out, "meshdns_agent_registrations", "endpoints registered at this agent's socket", {},
                 static_cast<double>(sources.local().registrations().size()));
  metrics::gauge(out, "meshdns_agent_drains", "drains of this node or its services", {},
                 static_cast<double>(drains.drains().size()));
  const int troubles = (drains.trouble().empty() ? 0 : 1) + (pushes.trouble().empty() ? 0 : 1);
  metrics::gauge(out, "meshdns_agent_unkept_states", "kinds of state that a restart forgets or has forgotten", {},
                 troubles);
}

void LocalState::describe(v1::AgentStatus& out, TimePoint now) const {
  for (const auto& source : sources.states()) *out.add_sources() = source_status(source);
  for (const auto& [target, drain] : drains.drains()) {
    *out.add_drains() = drain_status(drain, drains.covered(target), now);
  }
  for (const std::string& trouble : {drains.trouble(), pushes.trouble()}) {
    if (!trouble.empty()) out.add_troubles(trouble);
  }
}

}  // namespace meshdns::agent::app
