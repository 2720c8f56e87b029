#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/probes/probe.h"
#include "agent/report/messages.h"
#include "common/net/host_address.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Returns the targets to which an agent may connect for its federation. The others would make a fleet of agents call
/// on machines themselves, or on the mesh: link-local, multicast and loopback addresses, and ports of the mesh itself.
/// loopback:   Allowed if the federation is on this machine
/// mesh_ports: of the federation and of this agent
std::vector<report::MeasureTarget> measurable(const std::vector<report::MeasureTarget>& targets, Loopback loopback,
                                              const std::set<std::uint16_t>& mesh_ports);

/// Connects again and again to the targets that the federation wants measured: to each target at its own interval,
/// +-10 %, and sooner after an outcome that contradicts the one before. Reports every outcome; it judges nothing.
/// thread: the loop's
class Measurer {
 public:
  using ProbeFactory = std::function<std::unique_ptr<probes::Probe>(const SocketAddress&)>;
  using Sink = std::function<void(const report::Measurement&)>;

  static constexpr Duration kTimeout = 1s;           // of one connection
  static constexpr Duration kShortestInterval = 1s;  // lower bound of the federation's intervals; also after a change
  static constexpr Duration kFirstWithin = 2s;       // the first connections to new targets are spread over this time

  /// The number of outcomes, by report::Reach.
  using Counters = std::array<std::uint64_t, 5>;

  /// `clock` and `timers` must outlive the measurer.
  /// seed: seeds the jitter
  Measurer(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, std::uint64_t seed);
  ~Measurer();
  Measurer(const Measurer&) = delete;
  Measurer& operator=(const Measurer&) = delete;

  /// Measures the targets of a federation to which an agent may connect (measurable()), and logs how many others it
  /// names.
  void follow(const std::vector<report::MeasureTarget>& targets, Loopback loopback,
              const std::set<std::uint16_t>& mesh_ports);
  /// Replaces the list of targets. An unchanged target keeps its schedule.
  void set_targets(const std::vector<report::MeasureTarget>& targets);

  std::size_t targets() const { return watched_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  struct Watched;

  void schedule_tick();
  void tick();
  void start(Watched& watched);
  void on_result(Watched& watched, const health::ProbeResult& result);
  report::Measurement measurement_of(const Watched& watched, const health::ProbeResult& result) const;
  /// Whether this thread was held up since `then`: if so, a timeout may only mean that the answer is still unread.
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
  std::optional<TimePoint> held_up_;  // when the last tick was late
  std::size_t forbidden_ = 0;         // targets that follow() left out
};

}  // namespace meshdns::agent::app
