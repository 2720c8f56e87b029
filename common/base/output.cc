#include "common/base/output.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>

namespace meshdns {

namespace {

// Sanitizers are not ready yet when this is called, nor is anything else: bare system calls.
__attribute__((no_sanitize("address", "thread", "undefined"))) void open_standard_descriptors() {
  for (long descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    // those below are open: the lowest number that is free is taken
    if (::syscall(SYS_fcntl, descriptor, F_GETFD) < 0) ::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
  }
}

// The dynamic linker calls what stands here before the constructors of all libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kBeforeAll)() = open_standard_descriptors;

}  // namespace

int end_output(int code) {
  const bool lost_before = !std::cout || std::ferror(stdout) != 0;
  errno = 0;
  // close(2), too: some file systems tell only there that the disk is full
  const bool ends_well = std::cout.flush() && std::fflush(stdout) == 0 && ::close(STDOUT_FILENO) == 0;
  if (ends_well && !lost_before) return code;
  const int reason = errno;
  std::cerr << "cannot write to standard output" << (reason == 0 ? "" : ": ")
            << (reason == 0 ? "" : std::strerror(reason)) << "\n";
  return code == 0 ? 1 : code;
}

}  // namespace meshdns
