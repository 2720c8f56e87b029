#pragma once

namespace meshdns::federation {

/// The names by which the two ends of a Watch stream tell each other what they can do (Subscribe.features).

/// The subscriber acknowledges what it has taken at most every 250 ms or 1,000 records; refusals go at once. A
/// federation judges such a subscriber by the age of the oldest batch that is not acknowledged.
inline constexpr const char* kLazyAck = "lazy-ack";

}  // namespace meshdns::federation
