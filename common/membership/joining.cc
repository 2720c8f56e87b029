#include "common/membership/joining.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include "common/log/log.h"
#include "common/membership/enroll.h"

namespace meshdns::membership {
namespace {

constexpr Duration kFirstPause = 1s;
constexpr Duration kLongestPause = 30s;

/// Waits for a while, or until a signal comes that ends the daemon. The signal stays for whoever handles it: signals
/// are held until the daemon runs.
/// returns: whether a signal has come
bool must_end_within(Duration pause) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  const int descriptor = ::signalfd(-1, &ending, SFD_CLOEXEC);
  pollfd signal{descriptor, POLLIN, 0};
  const bool came = ::poll(&signal, 1, static_cast<int>(pause / 1ms)) > 0;
  if (descriptor >= 0) ::close(descriptor);
  return came;
}

Result<std::string> token_in(const std::string& path) {
  std::ifstream file(path);
  std::string out{std::istreambuf_iterator<char>(file), {}};
  if (file.is_open() && !file.bad()) return out;
  return Error(Code::NotFound, path + ": the token cannot be read, and there is no certificate yet");
}

}  // namespace

Result<void> join_mesh(const Member& member, const std::string& token_file) {
  if (has_joined(member.files)) return {};
  const auto token = token_in(token_file);
  if (!token) return token.error();
  for (Duration pause = kFirstPause; !must_end_within(0s); pause = std::min(2 * pause, kLongestPause)) {
    const auto done = enroll(member, *token);
    if (done) {
      log::info("joined: there is a certificate now", {{"certificate", member.files.certificate}});
      return {};
    }
    if (done.error().code() != Code::Unavailable) return done.error().with_context(token_file);
    log::warn("not joined yet", {{"reason", done.error().message()}, {"again_in", pause}});
    if (must_end_within(pause)) break;
  }
  return Error(Code::Aborted, "ended before there was a certificate");
}

}  // namespace meshdns::membership
