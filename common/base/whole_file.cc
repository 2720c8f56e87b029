#include "common/base/whole_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace meshdns {

Result<std::string> read_file(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (stream) text << stream.rdbuf();
  if (!stream || (text.fail() && errno != 0)) {
    const int why = errno == 0 ? EIO : errno;
    return Error(why == ENOENT ? Code::NotFound : Code::Unavailable, path + ": " + std::strerror(why));
  }
  return text.str();
}

}  // namespace meshdns
