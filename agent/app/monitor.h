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
#include "agent/discovery/pod_endpoints.h"
#include "agent/health/health_machine.h"
#include "agent/probes/probe.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Runs the checks of this node's endpoints when they are due, and passes each changed endpoint to the sink. Rise, fall
/// and doubt are HealthMachine's; which endpoints exist is discovery's.
///
/// How it works: each endpoint is checked at its first address of each family, by each check of its list:
///
///   Watched (one endpoint)
///     Check  v4 address, check 0: HealthMachine, Probe, timer  --\     of_families()
///     Check  v4 address, check 1: ...                          ---+--> model::Health --> Sink::put
///     Check  v6 address, check 0: ...                          --/
///
/// A check waits for its timer, runs its probe, hands the result to its machine, and sets the timer again.
///
/// A pod also has a Readiness, which joins what the kubelet reports with evidence: the end of a container, and a
/// refused connection to a declared port that was open before. The checks of its annotations come on top. Each declared
/// TCP port is probed for evidence every kEvidenceInterval (pod_checks.h).
/// thread: the loop's
class Monitor {
 public:
  using ProbeFactory = std::function<std::unique_ptr<probes::Probe>(const IpAddress&, const discovery::CheckSpec&)>;

  /// The receiver of endpoints. `put` is called for a new endpoint (normally while it is Pending) and after each
  /// change.
  struct Sink {
    std::function<void(const model::Endpoint&)> put;
    std::function<void(const std::string& key)> remove;
  };

  struct Options {
    std::string node;        // the node's key, for Endpoint::node
    std::uint64_t seed = 1;  // seeds the jitter
  };

  /// The number of results by health::Outcome, and of results with ProbeResult::late.
  struct Counters {
    std::array<std::uint64_t, health::kOutcomes> outcomes{};
    std::uint64_t late = 0;
  };

  /// `clock` and `timers` must outlive the monitor.
  Monitor(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, Options options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// How long a serving endpoint that is no longer listed is kept while its replacement waits for its first success.
  static constexpr Duration kReplacement = 2min;

  /// Replaces the list of endpoints.
  ///
  /// An endpoint with a known key keeps its health, and an unchanged check keeps its schedule. An endpoint with a new
  /// key gets the health of the removed endpoint if both are the same instance, with ports or addresses listed in
  /// another order. An endpoint that is no longer listed is removed. If it serves, and a listed endpoint of its service
  /// has not succeeded yet, it is kept and checked for up to kReplacement, so that the service is never empty.
  ///
  /// A pod that is no longer listed is removed at once: its address is given to another pod soon.
  void set_endpoints(const std::vector<discovery::Discovered>& listed,
                     const std::vector<discovery::PodEndpoint>& pods = {});

  /// Takes a pod out whose container has ended.
  /// key:     the pod's
  /// returns: whether the pod was serving
  bool ended(const std::string& key, const std::string& container);
  /// Checks at once the endpoints that a destroyed listener may have served.
  /// where:   the listener's address; the unspecified address of either family = any address; port 0 = any listener
  /// returns: the number of these endpoints
  std::size_t closed(const SocketAddress& where);
  /// Checks at once the pending endpoints that a new listener may serve. `where` and the result are as of closed().
  std::size_t opened(const SocketAddress& where);

  /// Returns the endpoints as last passed to the sink, by key.
  std::map<std::string, model::Endpoint> endpoints() const;
  const Counters& counters() const { return counters_; }
  /// Returns the number of checks whose last result was Unknown, by its detail: "out of file descriptors".
  std::map<std::string, std::size_t> unknown() const;

 private:
  struct Place;
  struct Check;
  struct Watched;

  void update(Watched& watched, const discovery::Discovered& found, const discovery::PodEndpoint* pod);
  /// Takes what the kubelet reports of a pod.
  /// returns: whether the pod has begun to serve
  bool report(Watched& watched, const discovery::PodEndpoint& pod);
  /// Hands the result of a check to the pod's readiness, as far as it is evidence.
  /// returns: whether its health changed
  bool judge_evidence(Check& check, const health::ProbeResult& result);
  std::size_t listener_gone(Watched& watched, const SocketAddress& where);
  void add_checks(Watched& watched, const IpAddress& address, std::vector<std::unique_ptr<Check>> before,
                  const model::Health& fresh);
  void schedule(Check& check);
  void start(Check& check, bool after_event);
  void probe_after_event(Check& check);
  void on_result(Check& check, health::ProbeResult result);
  bool is_last_healthy(const Watched& watched) const;
  /// Removes the endpoints that are no longer listed, except those that wait for a replacement.
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

}  // namespace meshdns::agent::app
