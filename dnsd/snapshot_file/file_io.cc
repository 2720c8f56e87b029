#include "dnsd/snapshot_file/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace meshdns::snapshot_file {

std::ptrdiff_t read_some(int fd, std::string& out, std::size_t most) {
  const std::size_t before = out.size();
  out.resize(before + most);
  ssize_t size = 0;
  do {
    size = ::read(fd, out.data() + before, most);
  } while (size < 0 && errno == EINTR);
  out.resize(before + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return size;
}

bool read_parts(int fd, std::uint64_t length, const std::function<void(std::string_view)>& take) {
  std::string part;
  while (length > 0) {
    part.clear();
    if (read_some(fd, part, static_cast<std::size_t>(std::min<std::uint64_t>(length, kPart))) <= 0) return false;
    length -= part.size();
    take(part);
  }
  return true;
}

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
  const int fd = ::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  static_cast<void>(::fsync(fd));
  ::close(fd);
}

Result<void> replace_file(const std::string& path, std::string_view content) {
  const std::string next = path + ".next";
  const int fd = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bool done = fd >= 0 && write_all(fd, content) && ::fsync(fd) == 0;
  if (fd >= 0) done = ::close(fd) == 0 && done;
  done = done && std::rename(next.c_str(), path.c_str()) == 0;
  const int reason = errno;
  if (!done) {
    ::unlink(next.c_str());
    return Error(Code::Unavailable, path + ": " + std::strerror(reason));
  }
  sync_folder(path);
  return {};
}

}  // namespace meshdns::snapshot_file
