#include "common/base/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace meshdns {
namespace {

constexpr unsigned kForOwner = 0600;

int reason() { return errno == 0 ? EIO : errno; }

/// Writes a file anew. What an earlier attempt has left may be readable for others, so its mode is set too. A link is
/// removed.
/// returns: 0, or why that failed (errno)
int write_anew(const std::string& path, std::string_view content, unsigned mode) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
  int fd = ::open(path.c_str(), kFlags, mode);
  if (fd < 0 && errno == ELOOP && ::unlink(path.c_str()) == 0) fd = ::open(path.c_str(), kFlags, mode);
  if (fd < 0) return reason();
  if (mode == kForOwner) static_cast<void>(::fchmod(fd, mode));  // a pipe in a test has no mode that counts
  const int failed = write_all(fd, content) && ::fsync(fd) == 0 ? 0 : reason();
  const int closed = ::close(fd) == 0 ? 0 : reason();
  return failed == 0 ? closed : failed;
}

}  // namespace

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void sync_folder(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::fsync(fd));
  ::close(fd);
}

Result<void> replace_file(const std::string& path, std::string_view content, unsigned mode) {
  const std::string next = path + ".next";
  int failed = write_anew(next, content, mode);
  if (failed == 0 && std::rename(next.c_str(), path.c_str()) != 0) failed = reason();
  if (failed != 0) {
    ::unlink(next.c_str());
    return Error(Code::Unavailable, path + ": " + std::strerror(failed));
  }
  sync_folder(path);
  return {};
}

}  // namespace meshdns
