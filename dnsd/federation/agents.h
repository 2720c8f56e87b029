#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/federation/agent_reports.h"
#include "dnsd/federation/brakes.h"
#include "dnsd/federation/report_session.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

/// All agents of a federation: judges which are silent, demotes and forgets their nodes. Connects the pure judges
/// (Leases, Brakes, Coverage, Measuring, Load) with the catalog. AgentReports takes what the agents report, and a
/// ReportSession speaks with each.
/// thread: control
class Agents {
 public:
  /// The number of agents up to which the brakes judge in every sweep; with more agents, less often: judge_pace().
  static constexpr std::size_t kJudgedPerSweep = 1000;
  using Environment = AgentEnvironment;

  explicit Agents(Environment environment) : reports_(std::move(environment)) {}

  /// Begins a session on a new stream. The caller passes the stream's events to the returned session, which exists
  /// until closed() was called on it.
  /// pulse: for note(), with the messages of this stream
  std::shared_ptr<ReportSession> open(std::shared_ptr<ReportPort> port,
                                      std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>(), ReportPeer peer = {});
  /// Counts a caller who is nobody, and notes it in the audit.
  void refused(const log::AuditEntry& what) { reports_.refused(what); }
  /// Notes a heartbeat that reports nothing new.
  /// returns: false = the session has to handle the message
  /// thread: any
  bool note(const std::shared_ptr<Pulse>& pulse, const v1::AgentMessage& message) {
    return reports_.sessions().note(pulse, message, reports_.now());
  }
  /// Expects the agent of a node that was restored from the store: the agent gets time to come back.
  void expect(const std::string& node) { reports_.leases().expect(node, reports_.now()); }
  /// Notes an endpoint that was restored from the store, with the result of digest_of() when it was stored. An agent
  /// whose digest is the sum of its node's digests need not send a Full.
  void restored(const model::Endpoint& endpoint, std::uint64_t digest) { reports_.restored(endpoint, digest); }
  /// Returns the endpoint's part of its agent's digest. 0 = not known: the agent has not reported all its records, or
  /// the catalog does not show the latest report because the mesh is frozen.
  std::uint64_t digest_of(const model::Endpoint& endpoint) const { return reports_.digest_of(endpoint); }
  /// Judges which agents are silent and what agents are to measure. Demotes silent nodes that no brake holds. Called
  /// every Leases::sweep_interval().
  void sweep();
  /// Tells all agents that map ports what they shall map, if it differs from what they were told.
  void tell_mappings();
  /// Ends the streams whose Hello is overdue. Called about every half second.
  void end_silent_streams();
  /// Forgets the nodes and services that Catalog::forget() names, except nodes that a brake holds.
  void forget(Duration forget_after);
  /// Drops everything about nodes that the catalog has forgotten: they no longer count among the agents that share the
  /// heartbeats. If such a node's stream is still open (its machine slept), its agent has to begin a new session.
  void forget_gone();
  /// Withdraws a node's records, as its agent would when it leaves: for a node whose machine is gone.
  /// errors: NotFound; FailedPrecondition: its agent is connected, or the mesh is frozen
  Result<void> remove(const std::string& node);
  /// Ends all sessions with Goodbye and admits no more.
  void shut_down();
  /// Asks agents for a Full where the catalog lacks records that the agent has sent: forgotten endpoints, and, when
  /// there is room again, records that were refused for want of room.
  void ask_for_missing() { reports_.ask_for_missing(); }

  /// What watchers say of the pods that agents report.
  Bindings& bindings() { return reports_.bindings(); }
  const Bindings& bindings() const { return reports_.bindings(); }
  /// The endpoints that watchers of Kubernetes know.
  StandIns& stand_ins() { return reports_.stand_ins(); }
  const StandIns& stand_ins() const { return reports_.stand_ins(); }
  /// Takes note that Kubernetes has deleted a Node.
  void node_deleted(const std::string& node) { reports_.node_deleted(node); }
  /// Takes note that a watcher has told all endpoints of its cluster.
  void watcher_listed() { reports_.watcher_listed(); }

  const Leases& leases() const { return reports_.leases(); }
  const Brakes& brakes() const { return brakes_; }
  const Measuring& measuring() const { return reports_.measuring(); }
  const Coverage& coverage() const { return reports_.coverage(); }
  const AgentCounters& counters() const { return reports_.counters(); }
  const Load& load() const { return reports_.load(); }
  std::size_t connected() const { return reports_.sessions().connected(); }
  /// The encoded bytes of Fulls that are arriving.
  std::size_t arriving_bytes() const { return reports_.arriving().total(); }
  std::size_t open_streams() const { return reports_.sessions().open(); }
  bool is_connected(const std::string& node) const { return reports_.sessions().is_connected(node); }

 private:
  void measure_load(TimePoint now);
  /// The time between two judgements of agents that a brake holds. A judgement costs by the number of all agents, so
  /// the time grows with that number.
  Duration judge_pace() const { return Leases::sweep_interval() * (1 + leases().size() / kJudgedPerSweep); }
  void sweep_measuring(TimePoint now);
  /// Tells the agents at whose nodes other ports shall be mapped now.
  void sweep_mappings();
  std::string zone_of(const std::string& node) const;
  Brakes::Hearing hear(TimePoint now) const;
  /// Demotes the silent nodes that the brakes do not hold.
  void demote(TimePoint now);
  void publish(const std::string& node, model::NodeStatus status, TimePoint now);
  /// Publishes the brakes' verdict about a node's endpoints that no agent checks.
  void publish_unwatched(const std::string& node, const std::string& held_by, TimePoint now);
  void forget_silent(Duration forget_after, TimePoint now);
  /// Logs which brakes have closed and which have opened since the last call.
  void tell_of_brakes();

  AgentReports reports_;
  Brakes brakes_;
  std::map<std::pair<std::string, std::string>, std::size_t> brakes_told_;  // held nodes, by the brake's name and cover
  bool waiting_ = false;                                                    // some silent node is not demoted yet
  TimePoint judged_{};
  std::uint64_t forgotten_generation_ = 0;  // of the catalog's nodes, at the last forget_gone()
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
