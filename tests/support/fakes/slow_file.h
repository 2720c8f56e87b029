#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace meshdns::test {

/// A file that a disk does not make: who opens it for writing waits until let_go(), and cannot write it durably then.
class SlowFile {
 public:
  /// path: there must be no such file
  explicit SlowFile(std::string path) : path_(std::move(path)) { made_ = ::mkfifo(path_.c_str(), 0600) == 0; }
  SlowFile(const SlowFile&) = delete;
  SlowFile& operator=(const SlowFile&) = delete;
  ~SlowFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool made() const { return made_; }
  /// The disk goes on, and refuses.
  void let_go() { fd_ = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }

 private:
  std::string path_;
  bool made_ = false;
  int fd_ = -1;
};

}  // namespace meshdns::test
