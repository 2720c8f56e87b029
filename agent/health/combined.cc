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

/// Orders health from best (0) to worst: Serving, Failing, Pending (never served).
int rank(const Health& health) {
  if (health.state == HealthState::Serving) return 0;
  return health.state == HealthState::Pending ? 2 : 1;
}

bool is_judged(const Health& health) { return health.needed > 0 && health.streak >= health.needed; }

Health both_serving(const Health& a, const Health& b) {
  Health out = left(a) <= left(b) ? a : b;
  out.since = std::min(a.since, b.since);
  out.in_doubt = a.in_doubt || b.in_doubt;
  if (out.detail.empty()) out.detail = a.detail + b.detail;
  return out;
}

/// Combines two families that are in the same state.
Health both(const Health& a, const Health& b) {
  if (a.state == HealthState::Serving) return both_serving(a, b);
  if (a.state == HealthState::Failing) {
    Health out = left(a) <= left(b) ? a : b;  // the endpoint serves again as soon as one family does
    out.since = std::max(a.since, b.since);
    out.doubtful = a.doubtful || b.doubtful;
    return out;
  }
  return is_judged(a) ? b : a;
}

Health with_worse(Health better, const Health& worse, Family family) {
  const bool unknown =
      worse.state == HealthState::Pending && (better.state != HealthState::Serving || !is_judged(worse));
  better.out(family) = unknown ? HealthState::Pending : HealthState::Failing;
  better.in_doubt = better.in_doubt || worse.in_doubt;
  if (better.detail.empty() && !worse.detail.empty()) {
    better.detail = (family == Family::V4 ? "IPv4 is not answered: " : "IPv6 is not answered: ") + worse.detail;
  }
  return better;
}

}  // namespace

Health of_families(const std::vector<Health>& v4, const std::vector<Health>& v6) {
  if (v4.empty() || v6.empty()) return combined(v4.empty() ? v6 : v4);
  const Health a = combined(v4);
  const Health b = combined(v6);
  if (rank(a) == rank(b)) return both(a, b);
  return rank(a) < rank(b) ? with_worse(a, b, Family::V6) : with_worse(b, a, Family::V4);
}

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
