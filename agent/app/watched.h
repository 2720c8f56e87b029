#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "agent/app/check_runner.h"
#include "agent/discovery/discovered.h"
#include "agent/health/readiness.h"
#include "common/model/endpoint.h"

namespace meshdns::agent::app {

/// An endpoint that Monitor watches, with its checks.
struct Watched {
  discovery::Discovered found;
  model::Endpoint told;  // as last passed to the sink
  std::vector<std::unique_ptr<Check>> checks;
  std::unique_ptr<health::Readiness> readiness;  // of a pod
  bool host_network = false;                     // of a pod
  TimePoint down_since{};                        // of found.down
  std::optional<TimePoint> unlisted{};           // since when discovery no longer lists it; nothing = it is listed

  /// Whether the endpoint has never been passed to the sink.
  bool is_new() const { return told.key.empty(); }
  /// Returns the health by all checks, by what the source knows (Discovered::down), and of a pod by its readiness.
  model::Health health() const;
  /// Takes out the checks of one family, or those that are made once for the endpoint.
  /// returns: in the order of their settings
  std::vector<std::unique_ptr<Check>> take_checks(std::optional<Family> family);

 private:
  /// Returns the health of an endpoint that does not serve by what its source knows.
  model::Health down(const model::Health& checked) const;
  std::vector<model::Health> healths(Family family) const;
};

}  // namespace meshdns::agent::app
