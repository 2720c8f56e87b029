#include "agent/app/agent_metrics.h"

#include <array>
#include <string>

#include "common/log/log.h"

namespace meshdns::agent::app {
namespace {

using metrics::Sample;
using model::HealthState;

constexpr std::array kStates = {HealthState::Pending, HealthState::Serving, HealthState::Draining,
                                HealthState::Failing};
constexpr std::array kReaches = {"connected", "refused", "timeout", "no_route", "skipped"};  // as report::Reach
constexpr std::array kOutcomes = {"success", "failure", "timeout", "refused", "unknown"};    // as health::Outcome

void collect_endpoints(const report::Syncer& syncer, std::vector<Sample>& out) {
  std::array<double, kStates.size()> counts{};
  for (const auto& [key, endpoint] : syncer.endpoints()) ++counts.at(static_cast<std::size_t>(endpoint.health.state));
  for (const auto state : kStates) {
    out.push_back({Sample::Kind::Gauge,
                   "meshdns_agent_endpoints",
                   "endpoints of this node",
                   {{"state", std::string(model::health_state_name(state))}},
                   counts.at(static_cast<std::size_t>(state))});
  }
}

void collect_probes(const Monitor::Counters& counters, std::vector<Sample>& out) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    out.push_back({Sample::Kind::Counter,
                   "meshdns_agent_probes_total",
                   "checks that ended",
                   {{"outcome", kOutcomes.at(i)}},
                   static_cast<double>(counters.outcomes.at(i))});
  }
  out.push_back({Sample::Kind::Counter,
                 "meshdns_agent_late_probes_total",
                 "checks that began or ended late because the agent was held up",
                 {},
                 static_cast<double>(counters.late)});
}

void collect_measurements(const Measurer& measurer, std::vector<Sample>& out) {
  for (std::size_t i = 0; i < kReaches.size(); ++i) {
    out.push_back({Sample::Kind::Counter,
                   "meshdns_agent_measurements_total",
                   "connections tried for the federation, by how they ended",
                   {{"outcome", kReaches.at(i)}},
                   static_cast<double>(measurer.counters().at(i))});
  }
  out.push_back({Sample::Kind::Gauge,
                 "meshdns_agent_measured_targets",
                 "what the federation wants to be measured",
                 {},
                 static_cast<double>(measurer.targets())});
}

}  // namespace

void collect_samples(const Monitor& monitor, const Measurer& measurer, const report::Syncer& syncer,
                     std::vector<Sample>& out) {
  collect_endpoints(syncer, out);
  collect_probes(monitor.counters(), out);
  std::size_t impossible = 0;
  for (const auto& [trouble, checks] : monitor.unknown()) impossible += checks;
  out.push_back({Sample::Kind::Gauge,
                 "meshdns_agent_impossible_checks",
                 "checks whose last attempt failed for a reason of this machine",
                 {},
                 static_cast<double>(impossible)});
  collect_measurements(measurer, out);
  out.push_back({Sample::Kind::Gauge,
                 "meshdns_agent_unsent_records",
                 "changes that wait to be sent",
                 {},
                 static_cast<double>(syncer.unsent())});
  out.push_back({Sample::Kind::Gauge,
                 "meshdns_agent_refused_endpoints",
                 "endpoints that the federation does not take",
                 {},
                 static_cast<double>(syncer.refused().size())});
  out.push_back({Sample::Kind::Counter,
                 "meshdns_log_dropped_lines_total",
                 "log lines that standard error did not take",
                 {},
                 static_cast<double>(log::dropped_lines())});
}

}  // namespace meshdns::agent::app
