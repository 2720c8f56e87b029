#include "dnsd/app/authority_follower.h"

#include "common/log/log.h"
#include "common/membership/joining.h"

namespace meshdns::dnsd::app {
namespace {

constexpr Duration kSignalInterval = 200ms;

/// Returns the bounds for an API server whose answers are an object of some kilobytes.
kubernetes::Client::Limits small_answers() {
  kubernetes::Client::Limits out;
  out.longest_body = std::size_t{4} << 20;
  return out;
}

/// Looks for signals while a loop runs, and ends it when one comes.
class SignalLook {
 public:
  explicit SignalLook(process::EventLoop& loop) : loop_(loop) { look(); }
  SignalLook(const SignalLook&) = delete;
  SignalLook& operator=(const SignalLook&) = delete;
  ~SignalLook() { loop_.cancel(timer_); }

 private:
  void look() {
    if (membership::must_end_within(0s)) return loop_.stop();
    timer_ = loop_.after(kSignalInterval, [this] { look(); });
  }

  process::EventLoop& loop_;
  TimerId timer_ = 0;
};

}  // namespace

AuthorityFollower::AuthorityFollower(const AuthoritySecretSettings& settings, process::EventLoop& loop,
                                     const Clock& clock, std::function<void()> looked)
    : client_(loop, clock, settings.server, small_answers()),
      secret_(settings.options, enrolment::asked_by(client_), clock, loop, std::move(looked)) {
  secret_.start();
}

Result<void> wait_for_authority(const AuthoritySecretSettings& settings, const Clock& clock) {
  const std::string& folder = settings.options.folder;
  if (enrolment::has_copy(folder)) return {};
  log::info("waiting for the authority", {{"secret", settings.options.name_space + "/" + settings.options.secret},
                                          {"server", settings.server.authority()}});
  process::EventLoop loop;
  const AuthorityFollower follower(settings, loop, clock, [&] {
    if (enrolment::has_copy(folder)) loop.stop();
  });
  const SignalLook signals(loop);
  loop.run();
  if (enrolment::has_copy(folder)) return {};
  return Error(Code::Aborted, "ended before there was an authority");
}

}  // namespace meshdns::dnsd::app
