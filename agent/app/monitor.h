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

#include "agent/app/asked_runs.h"
#include "agent/app/check_runner.h"
#include "agent/app/check_view.h"
#include "agent/app/port_index.h"
#include "agent/discovery/discovered.h"
#include "agent/discovery/pod_endpoints.h"
#include "agent/probes/probe.h"
#include "agent/probes/service_board.h"
#include "common/model/endpoint.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Judges this node's endpoints by the results of their checks, and passes each changed endpoint to the sink. When
/// checks run is CheckRunner's; rise, fall and doubt are HealthMachine's; which endpoints exist is discovery's.
///
/// How it works: each endpoint is checked at its first address of each family, by each check of its list. A check that
/// is made at no address of the endpoint (exec, ttl, systemd, alias, none, or a fixed address) is made once, and counts
/// for both families:
///
///   Watched (one endpoint)
///     Check  v4 address, check 0: HealthMachine, Probe  --\     of_families()
///     Check  v6 address, check 0: ...                   ---+--> model::Health --> Sink::put, ServiceBoard
///     Check  once, check 1: ...                         --/
///
/// A pod also has a Readiness, which joins what the kubelet reports with evidence: the end of a container, and a
/// refused connection to a declared port that was open before. The checks of its annotations come on top. Each declared
/// TCP port is probed for evidence every kEvidenceInterval (pod_checks.h).
/// thread: the loop's
class Monitor {
 public:
  using ProbeFactory = std::function<std::unique_ptr<probes::Probe>(const probes::Place&, const discovery::CheckSpec&)>;

  /// The receiver of endpoints. `put` is called for a new endpoint (normally while it is Pending) and after each
  /// change.
  struct Sink {
    std::function<void(const model::Endpoint&)> put;
    std::function<void(const std::string& key)> remove;
  };

  struct Options {
    std::string node;        // the node's key, for Endpoint::node
    std::uint64_t seed = 1;  // seeds the jitter
    CheckRunner::Limits limits = {};
  };

  /// The number of results by health::Outcome, and of results with ProbeResult::late.
  struct Counters {
    std::array<std::uint64_t, health::kOutcomes> outcomes{};
    std::uint64_t late = 0;
  };

  /// `clock` and `timers` must outlive the monitor. `make_probe` may use services().
  Monitor(const Clock& clock, Timers& timers, ProbeFactory make_probe, Sink sink, Options options);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  /// The first checks of many new endpoints are spread, so that about this many begin in a second.
  static constexpr std::int64_t kFirstChecksPerSecond = 2000;
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

  /// Runs the checks of a service's endpoints now, for a person. Their results count like others.
  /// done: called once, not before this returns, with the checks when all of these runs have ended, unless the monitor
  ///       is destroyed before that; empty = there is no such check
  void run_now(const std::string& namespace_, const std::string& service,
               std::function<void(const std::vector<CheckView>&)> done);

  /// Returns the endpoints as last passed to the sink, by key.
  std::map<std::string, model::Endpoint> endpoints() const;
  /// Returns all checks, in the order of their endpoints' keys.
  std::vector<CheckView> checks() const;
  const Counters& counters() const { return counters_; }
  /// Returns the number of checks whose last result was Unknown, by its detail: "out of file descriptors".
  std::map<std::string, std::size_t> unknown() const;
  const CheckRunner& runner() const { return runner_; }
  /// Returns the health of this node's services, for the checks of others.
  probes::ServiceBoard& services() { return services_; }

 private:
  /// Where the checks of a list are made: at the first address of a family, or once.
  struct At;

  void update(Watched& watched, const discovery::Discovered& found, const discovery::PodEndpoint* pod);
  /// Takes what the kubelet reports of a pod.
  /// returns: whether the pod has begun to serve
  bool report(Watched& watched, const discovery::PodEndpoint& pod);
  /// Hands the result of a check to the pod's readiness, as far as it is evidence.
  /// returns: whether its health changed
  bool judge_evidence(Check& check, const health::ProbeResult& result);
  std::size_t listener_gone(Watched& watched, const SocketAddress& where);
  void add_checks(Watched& watched, const At& at, std::vector<std::unique_ptr<Check>> before,
                  const model::Health& fresh);
  void on_result(Check& check, const health::ProbeResult& result);
  bool is_last_healthy(const Watched& watched) const;
  /// Removes the endpoints that are no longer listed, except those that wait for a replacement.
  void retire();
  void retire_after(Duration delay);
  void tell(Watched& watched);
  void tell_askers();

  const Clock& clock_;
  Timers& timers_;
  ProbeFactory make_probe_;
  Sink sink_;
  Options options_;
  std::minstd_rand seeds_;
  Counters counters_;
  AskedRuns asked_;
  probes::ServiceBoard services_;
  CheckRunner runner_;
  std::map<std::string, std::unique_ptr<Watched>> watched_;  // by key
  PortIndex ports_{watched_};
  Duration first_within_{};  // of the checks that update() adds
  std::optional<TimerId> retire_timer_;
  std::optional<TimerId> asked_timer_;
};

}  // namespace meshdns::agent::app
