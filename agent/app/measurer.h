#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/probes/probe.h"
#include "agent/report/messages.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::app {

/// Connects to what the federation wants to be measured, again and again: each target at its own interval, a tenth more
/// or less, and soon again while what is found contradicts what was found before.
/// thread: the loop's
class Measurer {
 public:
  using ProbeFactory = std::function<std::unique_ptr<probes::Probe>(const SocketAddress&)>;
  using Sink = std::function<void(const report::Measurement&)>;

  static constexpr Duration kTimeout = 1s;
  static constexpr Duration kShortestInterval = 1s;  // whatever the federation says; and after a change
  static constexpr Duration kFirstWithin = 2s;       // those of a new list do not begin all at once

  /// Results by report::Reach.
  using Counters = std::array<std::uint64_t, 5>;

  /// `clock` and `timers` must outlive it. seed: of the jitter
  Measurer(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, std::uint64_t seed);
  ~Measurer();
  Measurer(const Measurer&) = delete;
  Measurer& operator=(const Measurer&) = delete;

  /// All that is to be measured now. A target that did not change keeps its schedule.
  void set_targets(const std::vector<report::Target>& targets);

  std::size_t targets() const { return watched_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Watched;

  void schedule_tick();
  void tick();
  void start(Watched& watched);
  void on_result(Watched& watched, const health::ProbeResult& result);
  report::Measurement measurement_of(const Watched& watched, const health::ProbeResult& result) const;
  /// This thread was kept from its work since then: what did not come in time may lie there unread.
  bool held_up_since(TimePoint then) const;
  Duration between(Duration shortest, Duration longest);

  const Clock& clock_;
  Timers& timers_;
  ProbeFactory make_probe_;
  Sink sink_;
  std::minstd_rand random_;
  Counters counters_{};
  std::map<std::string, std::unique_ptr<Watched>> watched_;  // by the target's key
  std::optional<TimerId> tick_timer_;                        // while there are targets
  TimePoint next_tick_{};
  std::optional<TimePoint> held_up_;  // when it was noticed last
};

}  // namespace meshdns::app
