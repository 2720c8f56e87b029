#include "dnsd/store/store_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace meshdns::store {
namespace {

namespace fs = std::filesystem;

Error failed(const std::string& what, int reason) {
  const Code code = reason == ENOENT ? Code::NotFound : Code::Unavailable;
  return {code, what + ": " + std::generic_category().message(reason)};
}

fs::path folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

/// Syncs the folder of a path: otherwise a rename or link in it is not durable.
void sync_folder(const std::string& path) {
  const int folder = ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  ::fsync(folder);
  ::close(folder);
}

std::string free_name(const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2; is_there(name).value_or(false); ++number) name = wanted + "." + std::to_string(number);
  return name;
}

/// Returns the text by which /proc/locks names a file, like "08:01:1234".
std::string inode_text(const struct stat& file) {
  char text[64];
  std::snprintf(text, sizeof text, "%02x:%02x:%llu", major(file.st_dev), minor(file.st_dev),
                static_cast<unsigned long long>(file.st_ino));
  return text;
}

/// Returns the process that /proc/locks names for the inode; 0 = none.
long locking_process(const std::string& inode) {
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    // "1: POSIX  ADVISORY  WRITE 4711 08:01:1234 0 EOF"
    std::istringstream words(line);
    std::string number, kind, mode, access, place;
    long process = 0;
    if (words >> number >> kind >> mode >> access >> process >> place && place == inode && process > 0) return process;
  }
  return 0;
}

}  // namespace

Result<std::string> set_aside(const std::string& path, std::int64_t unix_seconds) {
  const std::string aside = free_name(path + ".corrupt-" + std::to_string(unix_seconds));
  // The file first: if the process dies in between, a log without its file shows the next start that something was
  // lost.
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    if (std::rename((path + suffix).c_str(), (aside + suffix).c_str()) != 0 && errno != ENOENT) {
      return failed("cannot rename " + path + suffix, errno);
    }
  }
  sync_folder(path);
  return aside;
}

Result<void> make_private_file(const std::string& path) {
  remove_file(path);
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return failed("cannot create " + path, errno);
  ::close(file);
  return {};
}

void remove_file(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) ::unlink((path + suffix).c_str());
}

Result<void> publish_file(const std::string& made, const std::string& path) {
  // rename() would replace a file that another process has made; it is used only where the file system has no links.
  const bool linked = ::link(made.c_str(), path.c_str()) == 0;
  const bool named = linked || (errno != EEXIST && ::rename(made.c_str(), path.c_str()) == 0);
  const int reason = errno;
  ::unlink(made.c_str());
  if (!named) return failed("cannot create " + path, reason);
  sync_folder(path);
  return {};
}

Result<bool> is_there(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) return true;
  if (errno == ENOENT) return false;
  return Error{Code::FailedPrecondition, "cannot be looked at: " + std::generic_category().message(errno)};
}

std::string write_obstacle(const std::string& path) {
  for (const std::string& name : {path, folder_of(path).string()}) {
    if (::access(name.c_str(), W_OK) == 0 || errno == ENOENT) continue;
    return name + ": " + std::generic_category().message(errno);
  }
  return "";
}

std::string lock_holder(const std::string& path) {
  struct stat file {};
  const long process = ::stat(path.c_str(), &file) == 0 ? locking_process(inode_text(file)) : 0;
  if (process == 0) return "another process";
  std::ifstream name("/proc/" + std::to_string(process) + "/comm");
  std::string text;
  std::getline(name, text);
  return (text.empty() ? "a process" : text) + " (pid " + std::to_string(process) + ")";
}

}  // namespace meshdns::store
