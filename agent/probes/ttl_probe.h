#pragma once

#include <functional>
#include <optional>
#include <string>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "agent/probes/push_board.h"

namespace meshdns::probes {

/// Judges an endpoint by what its service says of itself: the last push, while that is younger than the check's `ttl`.
/// An endpoint without a push is Unknown, so a new one stays pending. Both a push and the end of its time are news.
///
/// An agent that was held up reads pushes late. So when a push seems to have expired, and this was noticed late, the
/// push holds for as long again as the agent was late, at most for another `ttl`.
class TtlProbe : public Probe {
 public:
  /// What the probe uses; all of it must outlive the probe.
  struct Parts {
    const Clock& clock;
    Timers& timers;
    PushBoard& pushes;
  };

  /// endpoint: the key by which the service pushes
  TtlProbe(const Parts& parts, std::string endpoint, TtlCheck check);
  ~TtlProbe() override;
  void run(Duration timeout, Done done) override;
  void watch(std::function<void()> news) override;

 private:
  health::ProbeResult result() const;
  void wait_for_end();

  Parts parts_;
  std::string endpoint_;
  TtlCheck check_;
  std::function<void()> news_;
  PushBoard::Listening listening_;
  std::optional<TimerId> answer_;
  std::optional<TimerId> end_timer_;
  std::optional<TimePoint> holds_until_;  // of the last push; nothing = there was none
};

}  // namespace meshdns::probes
