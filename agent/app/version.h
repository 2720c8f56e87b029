#pragma once

namespace meshdns::app {

inline constexpr const char* kVersion = MESHDNS_VERSION;

}  // namespace meshdns::app
