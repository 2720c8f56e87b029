#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "agent/health/probe_result.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::health {

struct Settings {
  Duration interval = 5s;
  Duration timeout = 2s;
  Duration edge_interval = 1s;  // between checks while results contradict the state
  unsigned rise = 2;            // successes in a row that end a failure
  unsigned fall = 3;            // failures in a row that end serving

  friend bool operator==(const Settings&, const Settings&) = default;
};

/// From the results of one check of one endpoint to what is said of its health.
///
///              first success             `fall` failures in a row, or
///   Pending ------------------> Serving  a refusal after a kernel event  -----> Failing
///                                  ^----- `rise` successes in a row, more if it flaps ---'
///
/// Pending counts its failures: as many as end serving are a verdict on an endpoint that was published before, by an
/// earlier run of the agent; a new one stays Pending.
/// Results that are Unknown leave the state as it is; after `fall` of them in a row a serving endpoint is in doubt, and
/// its detail says why it is not checked.
/// Every change within 10 min of the one before doubles the successes needed (at most 16, or `rise` if that is more);
/// 10 min without a change bring them back to `rise`. The last instance of a service is never held back.
class HealthMachine {
 public:
  /// seed:     of the jitter
  /// previous: where to go on from, for an endpoint whose checks were changed; else it is Pending
  HealthMachine(Settings settings, std::uint64_t seed, model::Health previous = {});

  /// last_healthy: no other instance of the service serves here
  /// returns:      true if health() changed
  bool on_result(const ProbeResult& result, TimePoint now, bool last_healthy);

  /// Until the next check begins: the interval +-10 %, the edge interval (if shorter) while results contradict the
  /// state; the first time at random within the interval, at most 200 ms.
  Duration next_delay();

  const model::Health& health() const { return health_; }
  const Settings& settings() const { return settings_; }

 private:
  void on_unknown(const ProbeResult& result);
  void on_success(TimePoint now, bool last_healthy);
  void on_failure(const ProbeResult& result, TimePoint now, bool last_healthy);
  bool falls(const ProbeResult& result) const;
  void enter(model::HealthState state, TimePoint now);
  void count_change(TimePoint now);
  void weigh(const ProbeResult& failure);
  unsigned needed_successes(TimePoint now, bool last_healthy) const;
  Duration random_up_to(Duration bound);

  Settings settings_;
  std::minstd_rand random_;
  model::Health health_;
  std::optional<TimePoint> changed_;  // between Serving and Failing, lately
  unsigned flaps_ = 0;                // changes, each within 10 min of the one before
  unsigned sure_failures_ = 0;        // in a row, that lateness does not explain
  unsigned unknowns_ = 0;             // in a row, at most `fall`
  bool started_ = false;
};

}  // namespace meshdns::health
