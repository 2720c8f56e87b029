#include "common/membership/joining.h"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "common/log/log.h"
#include "common/membership/enroll.h"

namespace meshdns::membership {
namespace {

constexpr Duration kFirstPause = 1s;
constexpr Duration kLongestPause = 30s;
constexpr Duration kGlance = 100ms;  // between looks for a signal

/// Whether a signal that ends the daemon is waiting: it is held until the daemon runs.
bool must_end() {
  sigset_t waiting;
  sigpending(&waiting);
  return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
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
  for (Duration pause = kFirstPause; !must_end(); pause = std::min(2 * pause, kLongestPause)) {
    const auto done = enroll(member, *token);
    if (done) {
      log::info("joined: there is a certificate now", {{"certificate", member.files.certificate}});
      return {};
    }
    if (done.error().code() != Code::Unavailable) return done.error().with_context(token_file);
    log::warn("not joined yet", {{"reason", done.error().message()}, {"again_in", pause}});
    for (Duration waited{}; waited < pause && !must_end(); waited += kGlance) std::this_thread::sleep_for(kGlance);
  }
  return Error(Code::Aborted, "ended before there was a certificate");
}

}  // namespace meshdns::membership
