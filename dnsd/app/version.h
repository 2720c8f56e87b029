#pragma once

namespace meshdns::dnsd::app {

inline constexpr const char* kVersion = MESHDNS_VERSION;

}  // namespace meshdns::dnsd::app
