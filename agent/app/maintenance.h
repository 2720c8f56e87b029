#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// An operator's order to send clients elsewhere, as long as anything else serves.
struct Drain {
  std::string target;  // "namespace/service", or an endpoint's key; empty = the whole node
  std::string reason;  // one line
  TimePoint since{};
  std::optional<TimePoint> until;  // nothing = until it is taken back

  friend bool operator==(const Drain&, const Drain&) = default;
};

/// The two clocks at one instant. Drains end by the monotonic one; the file has times of the wall clock, because the
/// monotonic one begins anew with the machine.
struct Instant {
  TimePoint now{};
  std::int64_t unix_seconds = 0;
};

/// The drains of this node: what is drained, until when, why. Pure: has no clock, timer or file.
///
/// A drain changes what is reported, never what is checked: a serving endpoint is reported as draining, with the reason
/// as the detail. An endpoint that fails, or has not succeeded yet, stays what it is, because it is no better for being
/// drained. Of several drains of one endpoint the one counts that ends last.
class Maintenance {
 public:
  static constexpr std::size_t kMostDrains = 1000;

  explicit Maintenance(std::size_t most_drains = kMostDrains) : most_(most_drains) {}

  /// Adds a drain, or replaces the one of the same target; that one's beginning stays.
  /// errors: ResourceExhausted
  Result<void> drain(Drain drain);
  /// returns: false = there is no such drain
  bool undrain(const std::string& target) { return drains_.erase(target) > 0; }
  /// Removes and returns the drains that have ended by themselves.
  std::vector<Drain> expire(TimePoint now);
  /// Returns when expire() must be called next; nothing = no drain ends by itself.
  std::optional<TimePoint> next() const;

  /// Returns the drain that counts for an endpoint; null = none. Valid until the next change.
  const Drain* drain_of(const model::Endpoint& endpoint) const;
  /// Returns the endpoint as it is reported.
  model::Endpoint reported(model::Endpoint endpoint) const;
  const std::map<std::string, Drain>& drains() const { return drains_; }

  /// Returns the file's content.
  std::string text(Instant at) const;
  /// Replaces the drains by those of a file. Drains that have ended meanwhile are there until expire().
  /// errors: DataLoss: "line 3: ..."; nothing changes
  Result<void> restore(const std::string& text, Instant at);

 private:
  std::size_t most_;
  std::map<std::string, Drain> drains_;  // by target
};

/// Whether a drain's target covers an endpoint.
bool covers(const std::string& target, const model::Endpoint& endpoint);

}  // namespace meshdns::agent::app
