#pragma once

#include <cstddef>
#include <cstdint>

#include "dnsd/answers/host.h"

namespace meshdns::answers {

/// The state of a host, for metrics and lists of many hosts. Serving: an endpoint serves. LastResort: there are
/// endpoints, but none serves. Empty: there are no endpoints, or all of them are out.
enum class HostState : std::uint8_t { Serving, LastResort, Empty };
inline constexpr std::size_t kHostStates = 3;

/// Returns the state of a host.
HostState state_of(const Host& host);

}  // namespace meshdns::answers
