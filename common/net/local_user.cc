#include "common/net/local_user.h"

#include <pwd.h>
#include <sys/socket.h>

#include <array>

namespace meshdns {

LocalUser local_user(std::uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool read = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return {uid, read ? std::string(found->pw_name) : std::to_string(uid)};
}

std::optional<LocalUser> local_user_at(int descriptor) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) return std::nullopt;
  if (peer.uid == static_cast<uid_t>(-1)) return std::nullopt;  // the kernel's word for other kinds of sockets
  return local_user(peer.uid);
}

}  // namespace meshdns
