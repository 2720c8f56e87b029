#pragma once

namespace meshdns::rpc {

/// The key of the call metadata in which meshdnsctl names the user who runs it: "alice (uid 1000, pid 4711)".
inline constexpr const char* kCallerKey = "meshdns-caller";

}  // namespace meshdns::rpc
