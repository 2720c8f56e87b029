#include "dnsd/catalog/known_health.h"

#include <optional>

#include "common/model/lookup.h"

namespace meshdns::catalog {
namespace {

/// Keeps the known state of an address family that the agent has not judged yet, if the address is the same.
void keep_known_family(model::Endpoint& reported, const model::Endpoint& known, Family family) {
  std::optional<model::HealthState>& state = reported.health.out(family);
  if (state != model::HealthState::Pending || known.health.state == model::HealthState::Pending) return;
  const auto address = model::first_of(reported.addresses, family);
  if (address && address == model::first_of(known.addresses, family)) state = known.health.out(family);
}

}  // namespace

bool same_but_for_age(const model::Endpoint& a, const model::Endpoint& b) {
  if (a.health.state != b.health.state) return false;
  model::Endpoint copy = a;
  copy.health.since = b.health.since;
  copy.health.drain_until = b.health.drain_until;
  return copy == b;
}

model::Endpoint with_known_health(model::Endpoint reported, const model::Endpoint& known, TimePoint now) {
  using enum model::HealthState;
  model::Health& health = reported.health;
  if (reported.uid != known.uid) return reported;
  keep_known_family(reported, known, Family::V4);
  keep_known_family(reported, known, Family::V6);
  if (health.state != Pending || known.health.state == Pending) return reported;
  const bool failed = health.needed > 0 && health.streak >= health.needed;
  if (!failed) {
    health = known.health;
    reported.unwatched = known.unwatched;
    return reported;
  }
  health.state = Failing;
  health.since = known.health.state == Failing ? known.health.since : now;
  health.streak = health.needed = 0;
  health.v4 = known.health.v4;
  health.v6 = known.health.v6;
  return reported;
}

}  // namespace meshdns::catalog
