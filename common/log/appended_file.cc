#include "common/log/appended_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace meshdns::log {
namespace {

constexpr Duration kLastLines = 1s;
constexpr mode_t kOwnerOnly = 0600;

Error failed(const std::string& path, int reason) { return {Code::Unavailable, path + ": " + std::strerror(reason)}; }

/// Returns the folder that a path is in.
std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

AppendedFile::~AppendedFile() {
  // a thread that is stuck at the disk goes on using the descriptor
  if (writer_ && writer_->finish(kLastLines)) ::close(descriptor_);
}

Result<void> AppendedFile::open(const std::string& path) {
  // O_NONBLOCK: a pipe that nobody reads is an error instead of a process that stands still
  const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  const int opened = ::open(path.c_str(), flags, kOwnerOnly);
  if (opened < 0) return failed(path, errno);
  struct stat found {};
  const bool regular = ::fstat(opened, &found) == 0 && S_ISREG(found.st_mode);
  if (regular && (found.st_mode & 077) != 0) static_cast<void>(::fchmod(opened, kOwnerOnly));
  if (!writer_) {
    descriptor_ = opened;
    writer_.emplace(descriptor_, note_);
    return writer_->start();
  }
  const bool taken = ::dup3(opened, descriptor_, O_CLOEXEC) >= 0;
  const int reason = errno;
  ::close(opened);
  if (!taken) return failed(path, reason);
  return {};
}

void AppendedFile::put(std::string line) {
  if (writer_) {
    writer_->put(std::move(line));
  } else {
    ++unopened_;
  }
}

Result<void> AppendedFile::check(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) return failed(path, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) return failed(path, errno);
    return {};
  }
  if (errno != ENOENT) return failed(path, errno);
  const std::string folder = folder_of(path);
  if (::stat(folder.c_str(), &found) == 0 && !S_ISDIR(found.st_mode)) return failed(folder, ENOTDIR);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return failed(folder, errno);
  return {};
}

}  // namespace meshdns::log
