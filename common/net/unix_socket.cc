#include "common/net/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace meshdns {
namespace {

bool somebody_answers(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const bool busy = !connected && errno == EAGAIN;  // its queue is full: a process listens, though it does not accept
  ::close(fd);
  return connected || busy;
}

}  // namespace

Result<void> free_socket_path(const std::string& path) {
  if (path.size() > kLongestSocketPath) {
    return Error(Code::InvalidArgument,
                 path + ": a socket's path has at most " + std::to_string(kLongestSocketPath) + " characters");
  }
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) return Error(Code::AlreadyExists, path + ": there is a file that is no socket");
  if (somebody_answers(path)) return Error(Code::AlreadyExists, path + ": another process serves there");
  ::unlink(path.c_str());
  return {};
}

}  // namespace meshdns
