#pragma once

#include <string>
#include <string_view>

namespace meshdns::rpc {

/// Begins the reason why a client does not accept a server's certificate. gRPC puts words of its own in front of it.
inline constexpr std::string_view kNotExpected = "not the federation that is expected: ";

/// Returns gRPC 1.51's message about a failed or lost connection in an operator's words: "connection refused" for
/// "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Failed to connect to remote host:
/// Connection refused". Other messages are returned unchanged.
std::string plain_words(std::string_view message);

}  // namespace meshdns::rpc
