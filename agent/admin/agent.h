#pragma once

#include <cstdint>
#include <string>

#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::admin {

/// How far the withdrawal of this node's records is.
struct Leaving {
  enum class State : std::uint8_t { Waiting, Left, Failed };
  State state = State::Waiting;
  std::string text;  // for people: "withdrew 3 endpoints from 10.0.0.1:7400", or why not
};

/// What can be asked of and told to a running agent; agent/app implements it.
/// thread: the loop's
class Agent {
 public:
  virtual ~Agent() = default;
  virtual v1::AgentStatus status() = 0;
  /// Why what is reported may not be what there is: discovery is not read, or not all of it. Empty = it is ready.
  virtual std::string unready() = 0;
  /// Prometheus text
  virtual std::string metrics() = 0;
  /// The first call begins to withdraw everything, all say how far that is. The process ends after it is done.
  virtual Leaving leave() = 0;
};

}  // namespace meshdns::admin
