#include "agent/app/endpoint_log.h"

#include <string>

#include "common/log/log.h"
#include "common/model/lookup.h"
#include "common/model/sources.h"

namespace meshdns::agent::app {
namespace {

using model::HealthState;

void log_state(const model::Endpoint& endpoint, HealthState before) {
  const auto& health = endpoint.health;
  if (health.state == before) return;
  const std::string event = "endpoint " + std::string(model::health_state_name(health.state));
  const std::string passing = endpoint.source == model::kPodSource ? "ready" : "checks pass";
  const std::string why = health.detail.empty() ? passing : health.detail;
  const auto level = health.state == HealthState::Failing ? log::Level::Warn : log::Level::Info;
  log::write(level, event, {{"key", endpoint.key}, {"why", why}, {"was", model::health_state_name(before)}});
}

/// Logs when a serving endpoint's address begins or stops to be left out of answers.
void log_families(const model::Endpoint& endpoint, const model::Health& before) {
  const model::Health& now = endpoint.health;
  if (now.state != HealthState::Serving) return;
  for (const IpAddress& address : model::first_of_each_family(endpoint.addresses)) {
    const Family family = address.family();
    const bool was_out = before.state == HealthState::Serving && before.out(family) == HealthState::Failing;
    const bool is_out = now.out(family) == HealthState::Failing;
    if (is_out && !was_out) {
      log::warn("address not answered", {{"key", endpoint.key}, {"address", address.text()}, {"why", now.detail}});
    }
    if (was_out && !now.out(family)) {
      log::info("address answered again", {{"key", endpoint.key}, {"address", address.text()}});
    }
  }
}

}  // namespace

void log_change(const model::Endpoint& endpoint, const model::Health& before) {
  log_state(endpoint, before.state);
  log_families(endpoint, before);
}

}  // namespace meshdns::agent::app
