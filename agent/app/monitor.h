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

#include "agent/discovery/discovered.h"
#include "agent/health/health_machine.h"
#include "agent/probes/probe.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::app {

/// Runs the checks of this node's endpoints when they are due, and tells the sink what is true of each endpoint.
/// thread: the loop's
class Monitor {
 public:
  using ProbeFactory = std::function<std::unique_ptr<probes::Probe>(const SocketAddress&, const discovery::CheckSpec&)>;

  /// Where endpoints go: `put` when something changed, the first time while Pending.
  struct Sink {
    std::function<void(const model::Endpoint&)> put;
    std::function<void(const std::string& key)> remove;
  };

  struct Options {
    std::string node;        // the key that each endpoint carries
    std::uint64_t seed = 1;  // of the jitter
  };

  /// Results by health::Outcome, and the probes that began or ended too late to prove anything by a timeout.
  struct Counters {
    std::array<std::uint64_t, 5> outcomes{};
    std::uint64_t late = 0;
  };

  /// `clock` and `timers` must outlive it.
  Monitor(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, Options options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// What replaces a serving endpoint has so long for its first success; until then both are told.
  static constexpr Duration kReplacement = 2min;

  /// All that is listed now. An endpoint with a known key keeps its health whatever else of it changed, and a check
  /// that did not change keeps its schedule. So does an instance that has another key now, because its ports or
  /// addresses are listed in another order. What is not listed any more is removed; but while it serves, and an
  /// endpoint of its service waits for its first success, it stays and is checked, so that the service is never without
  /// one.
  void set_endpoints(const std::vector<discovery::Discovered>& listed);

  /// The kernel destroyed a listener: what may have been behind it is probed at once.
  /// where: the unspecified address of either family = any address; port 0 = anything may have closed
  /// returns: how many endpoints may have been behind it
  std::size_t closed(const SocketAddress& where);

  /// As last told to the sink, by key.
  std::map<std::string, model::Endpoint> endpoints() const;
  const Counters& counters() const { return counters_; }
  /// The number of checks that said nothing the last time, because of a trouble of the agent's own, by that trouble.
  std::map<std::string, std::size_t> unknown() const;

 private:
  struct Place;
  struct Check;
  struct Watched;

  void update(Watched& watched, const discovery::Discovered& found);
  void add_checks(Watched& watched, const IpAddress& address, std::vector<std::unique_ptr<Check>> before,
                  const model::Health& fresh);
  void schedule(Check& check);
  void start(Check& check, bool after_event);
  void probe_after_event(Check& check);
  void on_result(Check& check, health::ProbeResult result);
  bool is_last_healthy(const Watched& watched) const;
  /// Removes what is not listed any more, except what still waits for its replacement.
  void retire();
  void retire_after(Duration delay);
  void tell(Watched& watched);

  const Clock& clock_;
  Timers& timers_;
  ProbeFactory make_probe_;
  Sink sink_;
  Options options_;
  std::minstd_rand seeds_;
  Counters counters_;
  std::map<std::string, std::unique_ptr<Watched>> watched_;  // by key
  std::optional<TimerId> retire_timer_;
};

}  // namespace meshdns::app
