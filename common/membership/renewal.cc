#include "common/membership/renewal.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include "common/base/whole_file.h"
#include "common/log/log.h"
#include "common/time/time_text.h"

namespace meshdns::membership {

struct Renewal::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& the_loop, const Clock& the_clock, Member the_member)
      : loop(the_loop), clock(the_clock), member(std::move(the_member)) {}

  void schedule(Duration pause) {
    timer = loop.after(pause, [this] { schedule(look()); });
  }

  /// Begins to renew the certificate if its time has come.
  /// returns: the time until the next look: shorter for a certificate that lives for minutes only
  Duration look() {
    const std::int64_t now = clock.unix_seconds();
    const rpc::TlsFile own = rpc::inspect(member.files, now).front();
    const bool due = own.not_after != 0 && now >= renewal_time(own.not_before, own.not_after);
    if (!running && (mounted_authority_changed() || due)) begin();
    return std::clamp<Duration>(std::chrono::seconds(own.not_after - now) / 10, 1s, kLook);
  }

  /// Whether the mounted authority is another than at the last renewal. At first it is compared with the one that
  /// the federation has sent.
  bool mounted_authority_changed() {
    if (!member.pod) return false;
    const auto mounted = read_file(member.pod->authority);
    if (!mounted) return false;
    if (!known_authority) known_authority = read_file(member.files.ca).value_or("");
    mounted_authority = *mounted;
    return mounted_authority != *known_authority;
  }

  void begin() {
    running = true;
    begun_with = mounted_authority;
    if (thread.joinable()) thread.join();  // of the attempt before, which has ended
    thread = std::thread([this, weak = weak_from_this()] {
      auto done = renew(member, cancellation);
      loop.post([weak, done = std::move(done)] {
        if (const auto state = weak.lock()) state->renewed(done);
      });
    });
  }

  void renewed(const Result<void>& done) {
    running = false;
    const std::int64_t until = rpc::inspect(member.files, clock.unix_seconds()).front().not_after;
    if (done) {
      known_authority = begun_with;
      log::info("certificate renewed", {{"file", member.files.certificate}, {"until", time_text(until)}});
    } else {
      log::warn("certificate not renewed: it is tried again",
                {{"file", member.files.certificate}, {"until", time_text(until)}, {"reason", done.error().message()}});
    }
  }

  process::EventLoop& loop;
  const Clock& clock;
  const Member member;
  std::optional<TimerId> timer;
  bool running = false;
  std::string mounted_authority;               // of a pod, at the last look
  std::string begun_with;                      // the same, when the renewal that runs began
  std::optional<std::string> known_authority;  // with which the last renewal succeeded
  Cancellation cancellation;
  std::thread thread;  // of the call
};

Renewal::Renewal(process::EventLoop& loop, const Clock& clock, Member member)
    : state_(std::make_shared<State>(loop, clock, std::move(member))) {
  state_->schedule(state_->look());
}

Renewal::~Renewal() {
  if (state_->timer) state_->loop.cancel(*state_->timer);
  state_->cancellation.cancel();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace meshdns::membership
