#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/time/time.h"

namespace meshdns::health {

/// The outcome of one check. Refused: the host answers, but nothing listens at the port. Unknown: the agent itself had
/// a problem (out of descriptors, no route), so that the outcome says nothing about the endpoint. Warning: the endpoint
/// works but says that something is wrong; it counts as a success, and the endpoint is in doubt.
enum class Outcome : std::uint8_t { Success, Failure, Timeout, Refused, Unknown, Warning };

/// The number of outcomes.
inline constexpr std::size_t kOutcomes = 6;

/// Whether the endpoint works.
constexpr bool is_success(Outcome outcome) { return outcome == Outcome::Success || outcome == Outcome::Warning; }

/// The result of one check.
struct ProbeResult {
  Outcome outcome = Outcome::Unknown;
  std::string detail;        // for people: "connection refused", "http 503"; of a success mostly empty
  bool late = false;         // the agent's timers were late: a timeout proves little, an answer or refusal still counts
  bool after_event = false;  // the check was made because the kernel reported the end of a listening socket
  bool certain = false;  // the endpoint or its manager said so itself: the result counts at once, without fall or rise
  bool pending = false;  // of Unknown: nothing is known yet, and that is no problem of the agent
  Duration rtt{};        // of the TCP handshake, as measured by the kernel; 0 = not measured

  friend bool operator==(const ProbeResult&, const ProbeResult&) = default;
};

}  // namespace meshdns::health
