#include "agent/probes/systemd_probe.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace meshdns::probes {

using health::Outcome;
using health::ProbeResult;

ProbeResult unit_result(const std::string& unit, const KnownUnit& known) {
  constexpr std::array<std::string_view, 3> kServing = {"active", "reloading", "refreshing"};
  if (!known.problem.empty()) return {Outcome::Unknown, known.problem};
  if (!known.state) return {Outcome::Unknown, "systemd has not answered yet"};
  const UnitState& state = *known.state;
  ProbeResult out{.outcome = Outcome::Failure, .certain = true};
  if (std::ranges::find(kServing, state.active) != kServing.end()) {
    out.outcome = Outcome::Success;
  } else if (state.load == "loaded" || state.load.empty()) {
    out.detail = unit + " is " + state.active + " (" + state.sub + ")";
  } else {
    out.detail = unit + " is " + state.active + " (" + state.load + ")";
  }
  return out;
}

SystemdProbe::SystemdProbe(process::EventLoop& loop, UnitStates& states, SystemdCheck check)
    : loop_(loop),
      states_(states),
      check_(std::move(check)),
      follower_(states.follow(check_.unit, [this] { on_change(); })) {}

SystemdProbe::~SystemdProbe() {
  stop_timer();
  states_.unfollow(follower_);
}

void SystemdProbe::stop_timer() {
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
}

void SystemdProbe::run(Duration timeout, Done done) {
  stop_timer();
  done_ = std::move(done);
  const KnownUnit& known = states_.known(check_.unit);
  const bool is_known = known.state || !known.problem.empty();
  timer_ = loop_.after(is_known ? Duration::zero() : timeout, [this] {
    timer_.reset();
    answer();
  });
}

void SystemdProbe::on_change() {
  if (done_) {
    stop_timer();
    answer();
  } else if (news_) {
    news_();
  }
}

/// The last thing that a function does: `done` may destroy the probe.
void SystemdProbe::answer() {
  if (const Done call = std::exchange(done_, nullptr)) call(unit_result(check_.unit, states_.known(check_.unit)));
}

}  // namespace meshdns::probes
