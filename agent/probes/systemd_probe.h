#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "agent/probes/unit_states.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Judges the state of a systemd unit. Asks nobody: UnitStates hears of changes, and the probe passes the news on. A
/// state that systemd has reported is certain. Without a word of systemd the result is Unknown.
class SystemdProbe : public Probe {
 public:
  /// loop, states: must outlive the probe
  SystemdProbe(process::EventLoop& loop, UnitStates& states, SystemdCheck check);
  ~SystemdProbe() override;

  /// Answers with the state that is known. If none is yet, waits for it until the timeout. If a check is running, the
  /// new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;
  void watch(std::function<void()> news) override { news_ = std::move(news); }

 private:
  void on_change();
  void answer();
  void stop_timer();

  process::EventLoop& loop_;
  UnitStates& states_;
  SystemdCheck check_;
  std::function<void()> news_;
  Done done_;
  std::optional<TimerId> timer_;
  UnitStates::FollowerId follower_;
};

/// Returns what is to be said of a unit. It serves while it is active, reloading or refreshing.
health::ProbeResult unit_result(const std::string& unit, const KnownUnit& known);

}  // namespace meshdns::probes
