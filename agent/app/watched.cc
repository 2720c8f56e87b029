#include "agent/app/watched.h"

#include <algorithm>
#include <iterator>

#include "agent/health/combined.h"
#include "common/model/lookup.h"

namespace meshdns::agent::app {

/// Returns the health by each check that counts for a family; none if the endpoint has no address of it.
std::vector<model::Health> Watched::healths(Family family) const {
  std::vector<model::Health> out;
  if (!model::first_of(found.endpoint.addresses, family)) return out;
  for (const auto& check : checks) {
    const bool counts = !check->family || *check->family == family;
    if (counts && !check->spec->evidence) out.push_back(check->machine.health());
  }
  return out;
}

model::Health Watched::health() const {
  const auto v4 = healths(Family::V4);
  const auto v6 = healths(Family::V6);
  if (v4.empty() && v6.empty()) return readiness->health();
  const model::Health checked = health::of_families(v4, v6);
  if (!found.down.empty()) return down(checked);
  return readiness ? health::with_checks(readiness->health(), checked) : checked;
}

/// An endpoint that has never served here stays pending, with the streak of a verdict, like a pod that was never ready:
/// it is no last resort.
model::Health Watched::down(const model::Health& checked) const {
  const bool served = told.health.state != model::HealthState::Pending;
  return {.state = served ? model::HealthState::Failing : model::HealthState::Pending,
          .detail = found.down,
          .since = served ? down_since : checked.since,
          .streak = served ? 0U : 1U,
          .needed = served ? 0U : 1U};
}

std::vector<std::unique_ptr<Check>> Watched::take_checks(std::optional<Family> family) {
  const auto others =
      std::stable_partition(checks.begin(), checks.end(), [&](const auto& check) { return check->family == family; });
  std::vector<std::unique_ptr<Check>> out(std::make_move_iterator(checks.begin()), std::make_move_iterator(others));
  checks.erase(checks.begin(), others);
  return out;
}

}  // namespace meshdns::agent::app
