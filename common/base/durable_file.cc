#include "common/base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace meshdns {
namespace {

int reason() { return errno == 0 ? EIO : errno; }

/// Writes a file beside the one that it will replace.
/// flags:   of open(), besides those that every such file needs
/// returns: 0, or why that failed (errno)
int write_beside(const std::string& path, std::string_view content, int flags, unsigned mode) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
  if (fd < 0) return reason();
  const int failed = write_all(fd, content) && ::fsync(fd) == 0 ? 0 : reason();
  const int closed = ::close(fd) == 0 ? 0 : reason();
  return failed == 0 ? closed : failed;
}

/// Gives a file that was written beside another one its name.
/// failed: the result of write_beside()
Result<void> renamed(const std::string& next, const std::string& path, int failed) {
  if (failed == 0 && std::rename(next.c_str(), path.c_str()) != 0) failed = reason();
  if (failed != 0) {
    ::unlink(next.c_str());
    return Error(Code::Unavailable, path + ": " + std::strerror(failed));
  }
  sync_folder(path);
  return {};
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

Result<void> replace_file(const std::string& path, std::string_view content) {
  const std::string next = path + ".next";
  return renamed(next, path, write_beside(next, content, O_TRUNC, 0600));
}

Result<void> put_file(const std::string& path, std::string_view content, unsigned mode) {
  const std::string next = path + ".next";
  ::unlink(next.c_str());
  return renamed(next, path, write_beside(next, content, O_EXCL, mode));
}

}  // namespace meshdns
