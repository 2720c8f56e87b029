#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace meshdns {

/// A user of this machine.
struct LocalUser {
  std::uint32_t uid = 0;
  std::string name{};  // the number if the user has no name
};

/// Returns a user by its number.
LocalUser local_user(std::uint32_t uid);
/// Returns the user whose process is at the other end of a unix socket, as the kernel noted it when the process
/// connected (SO_PEERCRED).
/// returns: nothing = `descriptor` is no unix socket
std::optional<LocalUser> local_user_at(int descriptor);

}  // namespace meshdns
