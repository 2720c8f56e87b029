#pragma once

#include <string>
#include <string_view>

namespace meshdns::rpc {

/// Says in an operator's words what gRPC 1.51 says of a connection that could not be made or was lost: "connection
/// refused" for "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:7400: Failed to connect to
/// remote host: Connection refused". Anything else is returned as it is.
std::string plain_words(std::string_view message);

}  // namespace meshdns::rpc
