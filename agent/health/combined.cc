#include "agent/health/combined.h"

#include <algorithm>

#include "common/base/check.h"

namespace meshdns::health {
namespace {

using model::Health;
using model::HealthState;

std::uint32_t left(const Health& health) { return health.needed - health.streak; }

Health all_serving(const std::vector<Health>& checks) {
  Health out = *std::min_element(checks.begin(), checks.end(),
                                 [](const Health& a, const Health& b) { return left(a) < left(b); });
  for (const auto& check : checks) {
    out.since = std::max(out.since, check.since);
    out.in_doubt = out.in_doubt || check.in_doubt;
    if (out.detail.empty()) out.detail = check.detail;
  }
  return out;
}

Health some_failing(const std::vector<Health>& failing) {
  Health out = *std::max_element(failing.begin(), failing.end(),
                                 [](const Health& a, const Health& b) { return left(a) < left(b); });
  for (const auto& check : failing) {
    out.since = std::min(out.since, check.since);
    out.in_doubt = out.in_doubt && check.in_doubt;
    out.doubtful = out.doubtful && check.doubtful;
  }
  return out;
}

}  // namespace

Health combined(const std::vector<Health>& checks) {
  MESHDNS_CHECK(!checks.empty());
  std::vector<Health> failing;
  for (const auto& check : checks) {
    if (check.state == HealthState::Pending) return check;
    if (check.state == HealthState::Failing) failing.push_back(check);
  }
  return failing.empty() ? all_serving(checks) : some_failing(failing);
}

}  // namespace meshdns::health
