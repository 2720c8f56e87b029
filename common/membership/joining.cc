#include "common/membership/joining.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "common/base/whole_file.h"
#include "common/log/log.h"
#include "common/membership/enroll.h"

namespace meshdns::membership {
namespace {

constexpr Duration kFirstPause = 1s;
constexpr Duration kLongestPause = 30s;

/// Makes one attempt.
/// token: the text of the join token; not used by a pod
Result<void> try_once(const Member& member, const std::string& token, const Clock& clock) {
  if (!member.pod) return enroll(member, token, clock.unix_seconds());
  Cancellation none;
  return enroll_pod(member, none);
}

/// Whether the same attempt may succeed later.
bool may_change(const Member& member, const Error& error) {
  return error.code() == Code::Unavailable || (member.pod && error.code() == Code::PermissionDenied);
}

}  // namespace

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

Result<void> join_mesh(const Member& member, const Clock& clock) {
  if (has_joined(member.files)) return {};
  const auto token = member.pod ? Result<std::string>("") : read_file(member.token_file);
  if (!token) return token.error().with_context("there is no certificate yet, and the token cannot be read");
  for (Duration pause = kFirstPause; !must_end_within(0s); pause = std::min(2 * pause, kLongestPause)) {
    const auto done = try_once(member, *token, clock);
    if (done) {
      log::info("joined: there is a certificate now", {{"certificate", member.files.certificate}});
      return {};
    }
    if (!may_change(member, done.error())) return done.error().with_context(member.pod ? "join" : member.token_file);
    log::warn("not joined yet", {{"reason", done.error().message()}, {"again_in", pause}});
    if (must_end_within(pause)) break;
  }
  return Error(Code::Aborted, "ended before there was a certificate");
}

}  // namespace meshdns::membership
