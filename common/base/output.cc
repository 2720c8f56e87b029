#include "common/base/output.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <iostream>
#include <streambuf>
#include <string>
#include <string_view>

#include "common/base/printable.h"

namespace meshdns {

namespace {

/// A stream buffer that passes printable() text on. A character of several bytes may come in several writes: its first
/// bytes are held until the rest comes or the stream is flushed.
class CleanBuffer : public std::streambuf {
 public:
  explicit CleanBuffer(std::streambuf* to) : to_(to) {}

 protected:
  int_type overflow(int_type character) override {
    if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
    const char byte = traits_type::to_char_type(character);
    return xsputn(&byte, 1) == 1 ? character : traits_type::eof();
  }
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    held_.append(data, static_cast<std::size_t>(size));
    return pass_on(held_.size() - begun_at_end()) ? size : 0;
  }
  int sync() override { return pass_on(held_.size()) && to_->pubsync() == 0 ? 0 : -1; }

 private:
  /// Returns how many bytes at the end of `held_` begin a character that is not complete yet.
  std::size_t begun_at_end() const {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, held_.size()); ++back) {
      const auto byte = static_cast<unsigned char>(held_[held_.size() - back]);
      if (byte < 0x80) return 0;
      if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4U : byte >= 0xe0 ? 3U : 2U) ? back : 0;
    }
    return 0;
  }
  bool pass_on(std::size_t size) {
    const std::string text = printable(std::string_view(held_).substr(0, size), Lines::Many);
    held_.erase(0, size);
    return to_->sputn(text.data(), static_cast<std::streamsize>(text.size())) ==
           static_cast<std::streamsize>(text.size());
  }

  std::streambuf* to_;
  std::string held_;
};

// Uses bare system calls, because neither libc nor the sanitizers are ready when this runs.
__attribute__((no_sanitize("address", "thread", "undefined"))) void open_standard_descriptors() {
  for (long descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    // The descriptors below this one are open, so openat(2), which takes the lowest free number, gets this one.
    if (::syscall(SYS_fcntl, descriptor, F_GETFD) < 0) ::syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY);
  }
}

// The dynamic linker calls the functions of this section before the constructors of all libraries.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kBeforeAll)() = open_standard_descriptors;

}  // namespace

void clean_output() {
  // never destroyed: streams are flushed after the last destructor
  static auto& buffers = *new std::deque<CleanBuffer>;
  for (std::ostream* stream : {&std::cout, &std::cerr}) stream->rdbuf(&buffers.emplace_back(stream->rdbuf()));
}

int end_output(int code) {
  const bool lost_before = !std::cout || std::ferror(stdout) != 0;
  errno = 0;
  // close(2) is checked too: some file systems report a full disk only there
  const bool ends_well = std::cout.flush() && std::fflush(stdout) == 0 && ::close(STDOUT_FILENO) == 0;
  if (ends_well && !lost_before) return code;
  const int reason = errno;
  std::cerr << "cannot write to standard output" << (reason == 0 ? "" : ": ")
            << (reason == 0 ? "" : std::strerror(reason)) << "\n";
  return code == 0 ? 1 : code;
}

}  // namespace meshdns
