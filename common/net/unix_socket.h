#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns {

/// The longest path of a unix socket, in bytes: the size of the kernel's sockaddr_un allows no more.
inline constexpr std::size_t kLongestSocketPath = 107;

/// Frees `path` for a server to bind: removes a socket that a dead process left there, and nothing else.
/// errors: AlreadyExists: a process serves there, or the file is not a socket; InvalidArgument: `path` is too long
Result<void> free_socket_path(const std::string& path);

}  // namespace meshdns
