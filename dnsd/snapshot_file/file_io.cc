#include "dnsd/snapshot_file/file_io.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

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

}  // namespace meshdns::snapshot_file
