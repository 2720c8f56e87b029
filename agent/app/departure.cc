#include "agent/app/departure.h"

#include <utility>

#include "agent/app/status.h"
#include "common/log/log.h"

namespace meshdns::agent::app {
namespace {

using State = admin::Leaving::State;

constexpr Duration kGoodbyePatience = 1s;
constexpr Duration kLeaveOnStopPatience = 2s;
constexpr Duration kLeavePatience = 5s;
constexpr Duration kLingerUnasked = 2s;      // `meshdns-agent leave` may still ask for the outcome
constexpr Duration kLingerAnswered = 100ms;  // until the answer has gone out
constexpr int kNotLeft = 1;
constexpr int kLeft = 3;  // the unit lists it in RestartPreventExitStatus: no restart after a leave

}  // namespace

void Departure::stop(bool withdraws, bool tells) {
  begun_ = true;
  if (withdraws || tells) parts_.syncer.leave(withdraws);
  parts_.reporter.stop(withdraws ? kLeaveOnStopPatience : kGoodbyePatience, [this, withdraws] {
    if (withdraws && !parts_.syncer.settled())
      log::warn("leave not acknowledged",
                {{"error", "the federation did not confirm that the records of this node are withdrawn"}});
    parts_.loop.stop();
  });
}

admin::Leaving Departure::leave(const std::function<void()>& begins) {
  if (leaving_ && leaving_->state != State::Waiting) {
    parts_.loop.after(kLingerAnswered, [this] { parts_.loop.stop(); });
    return *leaving_;
  }
  if (leaving_) return *leaving_;
  if (begun_) return {State::Failed, "the agent is stopping; its records stay"};
  const report::GrpcReporter& reporter = parts_.reporter;
  if (!reporter.connected()) {
    return {State::Failed, "nothing is withdrawn: no session with the federation at " + reporter.server() + ": " +
                               reporter.last_error()};
  }
  begun_ = true;
  begins();
  log::info("leaving", {{"endpoints", parts_.syncer.endpoints().size()}});
  leaving_ = {State::Waiting, "waiting for the federation"};
  parts_.syncer.leave(true);
  parts_.reporter.stop(kLeavePatience, [this, server = reporter.server()] { end_leaving(server); });
  return *leaving_;
}

void Departure::end_leaving(const std::string& server) {
  const auto count = parts_.syncer.endpoints().size();
  const bool left = parts_.syncer.settled();
  exit_code_ = left ? kLeft : kNotLeft;
  leaving_ = left ? admin::Leaving{State::Left, left_text(parts_.node, count, server)}
                  : admin::Leaving{State::Failed, "the federation at " + server +
                                                      " did not acknowledge the leave; the records may stay"};
  log::info(left ? "left" : "leave not acknowledged", {{"outcome", leaving_->text}});
  parts_.loop.after(kLingerUnasked, [this] { parts_.loop.stop(); });
}

}  // namespace meshdns::agent::app
