#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// Bytes of a unix socket's path, by the kernel's sockaddr_un.
inline constexpr std::size_t kLongestSocketPath = 107;

/// Makes `path` free for a server to bind: removes the socket that a dead process left there, and nothing else.
/// errors: AlreadyExists = somebody serves there, or it is no socket; InvalidArgument = too long
Result<void> free_socket_path(const std::string& path);

}  // namespace meshdns
