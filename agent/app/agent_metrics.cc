#include "agent/app/agent_metrics.h"

#include <array>
#include <string>
#include <string_view>

#include "common/log/log.h"
#include "common/metrics/samples.h"

namespace meshdns::agent::app {
namespace {

using metrics::Sample;
using model::HealthState;

constexpr std::array kStates = {HealthState::Pending, HealthState::Serving, HealthState::Draining,
                                HealthState::Failing};
// in the order of report::Reach
constexpr std::array kReaches = {"connected", "refused", "timeout", "no_route", "skipped"};
// in the order of health::Outcome
constexpr std::array kOutcomes = {"success", "failure", "timeout", "refused", "unknown", "warning"};
static_assert(kOutcomes.size() == health::kOutcomes);

template <class Enum>
constexpr std::size_t index_of(Enum value) {
  return static_cast<std::size_t>(value);
}
static_assert(index_of(HealthState::Failing) + 1 == kStates.size());
static_assert(kReaches[index_of(report::Reach::Connected)] == std::string_view("connected"));
static_assert(kReaches[index_of(report::Reach::Refused)] == std::string_view("refused"));
static_assert(kReaches[index_of(report::Reach::Timeout)] == std::string_view("timeout"));
static_assert(kReaches[index_of(report::Reach::NoRoute)] == std::string_view("no_route"));
static_assert(kReaches[index_of(report::Reach::Skipped)] == std::string_view("skipped"));
static_assert(kOutcomes[index_of(health::Outcome::Success)] == std::string_view("success"));
static_assert(kOutcomes[index_of(health::Outcome::Failure)] == std::string_view("failure"));
static_assert(kOutcomes[index_of(health::Outcome::Timeout)] == std::string_view("timeout"));
static_assert(kOutcomes[index_of(health::Outcome::Refused)] == std::string_view("refused"));
static_assert(kOutcomes[index_of(health::Outcome::Unknown)] == std::string_view("unknown"));
static_assert(kOutcomes[index_of(health::Outcome::Warning)] == std::string_view("warning"));

void collect_endpoints(const report::Syncer& syncer, std::vector<Sample>& out) {
  std::array<double, kStates.size()> counts{};
  for (const auto& [key, endpoint] : syncer.endpoints()) ++counts.at(index_of(endpoint.health.state));
  for (const auto state : kStates) {
    metrics::gauge(out, "meshdns_agent_endpoints", "endpoints of this node",
                   {{"state", std::string(model::health_state_name(state))}}, counts.at(index_of(state)));
  }
}

void collect_probes(const Monitor::Counters& counters, std::vector<Sample>& out) {
  for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
    metrics::count(out, "meshdns_agent_probes_total", "checks that ended", {{"outcome", kOutcomes.at(i)}},
                   counters.outcomes.at(i));
  }
  metrics::count(out, "meshdns_agent_late_probes_total",
                 "checks that began or ended late because the agent was held up", {}, counters.late);
}

void collect_runs(const CheckRunner& runner, std::vector<Sample>& out) {
  metrics::gauge(out, "meshdns_agent_running_checks", "checks that run now", {}, static_cast<double>(runner.running()));
  metrics::gauge(out, "meshdns_agent_waiting_checks", "checks that are due and wait for their turn", {},
                 static_cast<double>(runner.waiting()));
}

void collect_measurements(const Measurer& measurer, std::vector<Sample>& out) {
  for (std::size_t i = 0; i < kReaches.size(); ++i) {
    metrics::count(out, "meshdns_agent_measurements_total", "connections tried for the federation, by how they ended",
                   {{"outcome", kReaches.at(i)}}, measurer.counters().at(i));
  }
  metrics::gauge(out, "meshdns_agent_measured_targets", "what the federation wants to be measured", {},
                 static_cast<double>(measurer.targets()));
}

}  // namespace

void collect_samples(const Monitor& monitor, const Measurer& measurer, const report::Syncer& syncer,
                     std::vector<Sample>& out) {
  collect_endpoints(syncer, out);
  collect_probes(monitor.counters(), out);
  collect_runs(monitor.runner(), out);
  std::size_t impossible = 0;
  for (const auto& [trouble, checks] : monitor.unknown()) impossible += checks;
  metrics::gauge(out, "meshdns_agent_impossible_checks",
                 "checks whose last attempt failed for a reason of this machine", {}, static_cast<double>(impossible));
  collect_measurements(measurer, out);
  metrics::gauge(out, "meshdns_agent_unsent_records", "changes that wait to be sent", {},
                 static_cast<double>(syncer.unsent()));
  metrics::gauge(out, "meshdns_agent_withheld_endpoints",
                 "endpoints without a service that an older federation does not take", {},
                 static_cast<double>(syncer.withheld()));
  metrics::gauge(out, "meshdns_agent_refused_endpoints", "endpoints that the federation does not take", {},
                 static_cast<double>(syncer.refused().size()));
  metrics::count(out, "meshdns_log_dropped_lines_total", "log lines that standard error did not take", {},
                 log::dropped_lines());
}

}  // namespace meshdns::agent::app
