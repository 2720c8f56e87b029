#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::admin {

/// What a service says of itself by `meshdns-agent push`.
enum class Said : std::uint8_t { Up, Down, Warn };

/// The interface between a running agent and the commands at its unix socket; agent/app implements it. A target is
/// "namespace/service", or the key of an endpoint.
/// thread: the loop's
class Commands {
 public:
  using Runs = std::function<void(Result<v1::AgentRuns>)>;

  virtual ~Commands() = default;
  /// Registers the endpoints of a file of endpoints.d.
  /// file:   the name that appears in problems
  /// errors: InvalidArgument: problems of the text, one a line; AlreadyExists, ResourceExhausted, FailedPrecondition,
  ///         Unavailable
  virtual Result<v1::AgentChanges> register_endpoints(const std::string& text, const std::string& file) = 0;
  /// errors: NotFound, FailedPrecondition, Unavailable
  virtual Result<v1::AgentChanges> deregister(const std::string& target) = 0;
  virtual v1::AgentRegistrations registrations() = 0;
  /// Takes what a service says to its ttl check.
  /// errors: NotFound; FailedPrecondition: there is no ttl check, or the target has several endpoints
  virtual Result<v1::AgentChanges> push(const std::string& target, Said said, const std::string& detail) = 0;
  /// target: empty = the whole node
  /// length: nothing = until undrain()
  /// errors: NotFound, ResourceExhausted
  virtual Result<v1::AgentChanges> drain(const std::string& target, const std::string& reason,
                                         std::optional<Duration> length) = 0;
  /// errors: NotFound
  virtual Result<v1::AgentChanges> undrain(const std::string& target) = 0;
  virtual v1::AgentDrains drains() = 0;
  /// Runs the checks of a target now.
  /// done: called once, at once or later
  virtual void check(const std::string& target, Runs done) = 0;
};

}  // namespace meshdns::agent::admin
