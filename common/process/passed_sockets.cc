#include "common/process/passed_sockets.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "common/base/text.h"

namespace meshdns::process {
namespace {

constexpr int kFirst = 3;
constexpr std::uint64_t kMost = 1024;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::vector<int> passed_sockets() {
  if (variable("LISTEN_PID") != std::to_string(::getpid())) return {};
  const auto count = parse_uint(variable("LISTEN_FDS"));
  if (!count) return {};
  std::vector<int> out;
  for (int fd = kFirst; fd < kFirst + static_cast<int>(std::min(*count, kMost)); ++fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) out.push_back(fd);
  }
  return out;
}

}  // namespace meshdns::process
