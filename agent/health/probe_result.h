#pragma once

#include <cstdint>
#include <string>

#include "common/time/time.h"

namespace meshdns::health {

/// The outcome of one check. Refused: the host answers, but nothing listens at the port. Unknown: the agent itself had
/// a problem (out of descriptors, no route), so that the outcome says nothing about the endpoint.
enum class Outcome : std::uint8_t { Success, Failure, Timeout, Refused, Unknown };

/// The result of one check.
struct ProbeResult {
  Outcome outcome = Outcome::Unknown;
  std::string detail;        // why, for people: "connection refused", "http 503", "timeout after 2s"; empty = success
  bool late = false;         // the agent's timers were late: a timeout proves little, an answer or refusal still counts
  bool after_event = false;  // the check was made because the kernel reported the end of a listening socket
  Duration rtt{};            // of the TCP handshake, as measured by the kernel; 0 = not measured

  friend bool operator==(const ProbeResult&, const ProbeResult&) = default;
};

}  // namespace meshdns::health
