#pragma once

#include <cstdint>
#include <string>

#include "common/time/time.h"

namespace meshdns::health {

/// How one check ended. Refused: the host answers, nothing listens there. Unknown: the agent's own trouble (out of
/// descriptors, no route); it says nothing of the endpoint.
enum class Outcome : std::uint8_t { Success, Failure, Timeout, Refused, Unknown };

struct ProbeResult {
  Outcome outcome = Outcome::Unknown;
  std::string detail;        // why, for people: "connection refused", "http 503", "timeout after 2s"; empty = success
  bool late = false;         // the agent's own timers were late: a timeout proves little, an answer or refusal stands
  bool after_event = false;  // asked because the kernel said that a listening socket was destroyed
  Duration rtt{};            // of a TCP handshake, as the kernel measured it; 0 = it did not

  friend bool operator==(const ProbeResult&, const ProbeResult&) = default;
};

}  // namespace meshdns::health
