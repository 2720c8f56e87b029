#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "agent/health/probe_result.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::health {

/// The settings of one check.
struct CheckSettings {
  Duration interval = 5s;
  Duration timeout = 2s;
  Duration edge_interval = 1s;  // between checks while results contradict the state
  unsigned rise = 2;            // successes in a row that end a failure
  unsigned fall = 3;            // failures in a row that end serving

  friend bool operator==(const CheckSettings&, const CheckSettings&) = default;
};

/// Turns the results of one check at one address into a health state. Has no clock and runs no probe: its user,
/// Monitor, passes results in and asks when the next check is due.
///
///              first success             `fall` failures in a row, or
///   Pending ------------------> Serving  a refusal after a kernel event  -----> Failing
///                                  ^----- `rise` successes in a row, more if it flaps ---'
///
/// Pending: failures are counted in `streak`, but the state stays Pending. If an earlier run of the agent has published
/// the endpoint, `streak` >= `needed` counts as a verdict; a new endpoint just stays Pending.
///
/// A Warning counts as a success. It leaves a serving endpoint in doubt, with its detail, until the next plain success.
///
/// A certain result (ProbeResult::certain) is a verdict by itself: a failure ends serving at once, and a success ends a
/// failure at once. An endpoint that flaps still has to wait: a certain success counts as `rise` successes, and
/// flapping multiplies the number that is needed. A failure is never held back.
///
/// Unknown results do not change the state. After `fall` of them in a row a serving endpoint is in doubt, and its
/// detail says why it is not checked.
///
/// Flapping: each change within 10 min of the one before doubles the number of successes needed to serve again (at most
/// 16, or `rise` if that is more); after 10 min without a change it is `rise` again. The last instance of a service is
/// never held back in this way.
class HealthMachine {
 public:
  /// seed:     seeds the jitter of next_delay()
  /// previous: the health to continue from, for an endpoint whose checks were changed; default: Pending
  HealthMachine(CheckSettings settings, std::uint64_t seed, model::Health previous = {});

  /// Takes the result of one check.
  /// last_healthy: no other instance of the service serves on this node
  /// returns:      true if health() changed
  bool on_result(const ProbeResult& result, TimePoint now, bool last_healthy);

  /// The longest first delay of a check on a node with few of them.
  static constexpr Duration kFirstWithin = 200ms;
  /// Returns the time until the next check begins: the interval +-10 %, or the edge interval if it is shorter and
  /// results contradict the state. The first delay is random, up to the interval and at most `first_within`.
  Duration next_delay(Duration first_within = kFirstWithin);
  /// Whether results contradict the state, so that the next check comes after the edge interval.
  bool is_at_edge() const { return health_.streak > 0 && health_.streak < health_.needed; }

  const model::Health& health() const { return health_; }

 private:
  void on_unknown(const ProbeResult& result);
  void on_success(const ProbeResult& result, TimePoint now, bool last_healthy);
  void keep_serving(const ProbeResult& success);
  void on_failure(const ProbeResult& result, TimePoint now, bool last_healthy);
  bool falls(const ProbeResult& result) const;
  void enter(model::HealthState state, TimePoint now);
  void count_change(TimePoint now);
  void weigh(const ProbeResult& failure);
  unsigned needed_successes(TimePoint now, bool last_healthy) const;
  Duration random_up_to(Duration bound);

  CheckSettings settings_;
  std::minstd_rand random_;
  model::Health health_;
  std::optional<TimePoint> changed_;  // the last change between Serving and Failing
  unsigned flaps_ = 0;                // changes in a row, each within 10 min of the one before
  unsigned sure_failures_ = 0;        // failures in a row that the agent's lateness does not explain, at most `fall`
  unsigned unknowns_ = 0;             // Unknown results in a row, at most `fall`
  bool started_ = false;
};

}  // namespace meshdns::health
