#pragma once

namespace meshdns::federation {

/// The word in Subscribe.features of a replica that acknowledges at most every 250 ms or 1,000 records instead of each
/// batch.
inline constexpr const char* kLazyAck = "lazy-ack";

}  // namespace meshdns::federation
