#pragma once

#include <cstddef>
#include <cstdint>

#include "dnsd/answers/host.h"

namespace meshdns::answers {

/// What a host can be answered with, for people who watch many hosts. Serving: some endpoint serves. LastResort: there
/// are endpoints, and none serves. Empty: there are none, or operators have taken all of them out.
enum class HostState : std::uint8_t { Serving, LastResort, Empty };
inline constexpr std::size_t kHostStates = 3;

HostState state_of(const Host& host);

}  // namespace meshdns::answers
