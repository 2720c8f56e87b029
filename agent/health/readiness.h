#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "agent/health/probe_result.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::health {

/// What the kubelet reports of a pod, as far as it counts for health.
struct PodReport {
  /// One run of a container.
  struct Run {
    std::string id;  // empty = none was made yet
    std::uint64_t restarts = 0;

    friend bool operator==(const Run&, const Run&) = default;
  };

  bool ready = false;
  std::string why;                     // of not ready, for people; may be empty
  std::int64_t since = 0;              // the last transition of Ready on the kubelet's clock, in seconds since 1970
  std::map<std::string, Run> runs;     // by the name of the container
  std::optional<Duration> grace = {};  // deletion was requested: how long the pod may take; nothing = it stays

  friend bool operator==(const PodReport&, const PodReport&) = default;
};

/// What contradicts a pod that is Ready: a connection to a declared port was refused, a container has no process left,
/// or the kernel has destroyed the listener of a pod in the host's network. A timeout is no evidence: a NetworkPolicy
/// may drop the agent's packets, and nobody else's.
enum class Evidence : std::uint8_t { Refused, Ended, ListenerGone };

/// Joins the readiness of a pod with the agent's own evidence. Pure: `now` is an argument. The agent needs milliseconds
/// to see that a process has died, the kubelet a second or more; but only the kubelet knows when a pod may serve.
///
///              Ready                    evidence
///   Pending ---------> Serving <---------------------> Failing ("connection refused")
///                        ^ |     newer report, or           |
///                  Ready | | not Ready   `rise` successes   |
///                        | v                                |
///                      Failing (the kubelet's reason) <-----'  not Ready
///
///   Serving ---> Draining: deletion was requested. A pod that is not Ready, or that evidence contradicts, is no better
///                for being deleted: it stays failing or pending.
///
/// * A pod that is not Ready is failing, whatever the agent's own checks say.
/// * A pod that has never been Ready here stays Pending, with the streak of a verdict: a federation that knows the pod
///   from an earlier run of this agent takes it as failing, and to all others a pod that starts is no last resort.
/// * A pod that is Ready serves at once. The kubelet's thresholds and the readiness gates have been waited for already.
/// * The end of a container holds for kEndHolds whatever connects: a sidecar or a proxy in front of the pod may answer
/// at
///   once, and the kubelet reports meanwhile.
/// * Evidence ends serving at once. It holds until the kubelet reports something newer than it had when the evidence
///   came: a later transition of Ready, another run of a container. Or until `rise` checks in a row succeed.
class Readiness {
 public:
  static constexpr Duration kEndHolds = 5s;

  /// rise: successes in a row that end what evidence began
  explicit Readiness(unsigned rise = 2) : rise_(rise) {}

  /// Takes what the kubelet reports; equal reports change nothing.
  /// returns: whether health() changed
  bool on_report(const PodReport& report, TimePoint now);
  /// Takes evidence. It counts only against a pod that is Ready and not being deleted.
  /// detail:  for people: "connection refused"
  /// run:     the id of the container that has ended; one that the kubelet no longer reports is ignored. Empty = the
  ///          evidence is about the whole pod
  /// returns: whether health() changed
  bool on_evidence(Evidence kind, const std::string& detail, TimePoint now, const std::string& run = {});
  /// Takes the result of a check of a declared port. A refusal is evidence. Failures and timeouts only interrupt a
  /// rise.
  /// returns: whether health() changed
  bool on_result(const ProbeResult& result, TimePoint now);

  const model::Health& health() const { return health_; }
  /// What contradicts the kubelet now; nothing = there is no evidence that still holds.
  std::optional<Evidence> evidence() const;

 private:
  struct Contradiction {
    Evidence kind;
    std::string detail;
    PodReport known;      // the report when the last evidence came
    TimePoint began{};    // when the first evidence came
    unsigned streak = 0;  // successes in a row
  };

  bool judge(TimePoint now);
  model::Health judged(TimePoint now) const;

  unsigned rise_;
  std::optional<PodReport> report_;
  std::optional<Contradiction> contradiction_;
  bool has_served_ = false;
  model::Health health_;
};

/// Joins the health of a pod by Readiness with that of the checks that its annotations ask for. Readiness that says no
/// is final. While it says yes, the checks may take the pod out, but the pod serves before their first result.
/// checks: from of_families()
model::Health with_checks(const model::Health& readiness, const model::Health& checks);

}  // namespace meshdns::health
