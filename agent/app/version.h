#pragma once

namespace meshdns::agent::app {

inline constexpr const char* kVersion = MESHDNS_VERSION;

}  // namespace meshdns::agent::app
