#include "common/base/private_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace meshdns {

Result<void> make_private_folder(const std::string& path) {
  std::filesystem::path folder(path);
  if (!folder.has_filename()) folder = folder.parent_path();  // "/var/lib/meshdns/"
  std::error_code error;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), error);
  if (error) return Error(Code::Unavailable, path + ": " + error.message());
  if (::mkdir(folder.c_str(), 0700) == 0) return {};
  const int reason = errno;
  if (reason == EEXIST && std::filesystem::is_directory(folder, error)) return {};
  return Error(Code::Unavailable, path + ": " + std::strerror(reason));
}

std::string untrusted(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return path + ": " + std::strerror(errno);
  if (!S_ISDIR(found.st_mode)) return path + " is no folder";
  if (found.st_uid != ::geteuid()) return path + " is of another user (uid " + std::to_string(found.st_uid) + ")";
  if ((found.st_mode & 0077U) != 0) return path + " is open to others: chmod 0700 " + path;
  return "";
}

}  // namespace meshdns
