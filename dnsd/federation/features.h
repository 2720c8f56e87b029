#pragma once

namespace meshdns::federation {

/// What a subscriber says in Subscribe.features if it acknowledges at most every 250 ms or 1,000 records, not each
/// batch.
inline constexpr const char* kLazyAck = "lazy-ack";

}  // namespace meshdns::federation
