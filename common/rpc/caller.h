#pragma once

namespace meshdns::rpc {

/// The metadata in which meshdnsctl says who runs it: "alice (uid 1000, pid 4711)".
inline constexpr const char* kCallerKey = "meshdns-caller";

}  // namespace meshdns::rpc
