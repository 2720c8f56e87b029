#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/identity/authorizer.h"
#include "common/log/ration.h"
#include "common/rpc/port.h"
#include "common/rpc/quota.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/admission.h"
#include "dnsd/federation/brakes.h"
#include "dnsd/federation/coverage.h"
#include "dnsd/federation/leases.h"
#include "dnsd/federation/load.h"
#include "dnsd/federation/measuring.h"
#include "dnsd/federation/openings.h"
#include "dnsd/federation/pulse.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

class ReportSession;
using ReportPort = rpc::Port<v1::ReportReply>;

/// The origin of an agent's stream.
struct ReportPeer {
  bool here = true;       // the agent runs on this machine
  std::string address{};  // by which the stream is counted; empty = none
  identity::Caller caller{};
};

/// Counts for metrics and status.
struct AgentCounters {
  std::uint64_t sessions = 0;
  std::uint64_t deferred = 0;  // sessions whose agent was told to come back later
  std::uint64_t messages = 0;
  std::uint64_t refused_records = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t cut = 0;                               // sessions ended because the agent did not read
  std::uint64_t clamped = 0;                           // impossible values: replaced or ignored
  std::uint64_t not_allowed = 0;                       // callers who may not what they ask for
  std::map<std::string, std::uint64_t> brakes_closed;  // how often, by name
};

/// All agents of a federation: their sessions, their leases, and what they have reported. Connects the pure judges
/// (Leases, Brakes, Coverage, Measuring, Admission, Load) with the catalog. Does not parse messages; ReportSession
/// does.
///
/// The parts are in agents.cc (sessions, silence), agents_coverage.cc (endpoints that no agent checks) and
/// agents_forgetting.cc (nodes that are forgotten).
/// thread: control
class Agents {
 public:
  /// The time in which the agent that holds a node's session has to answer a ping, when another agent wants the node.
  static constexpr Duration kProofOfLife = 1s;
  /// The number of agents up to which the brakes judge in every sweep; with more agents, less often: judge_pace().
  static constexpr std::size_t kJudgedPerSweep = 1000;
  /// The limit by which an epoch that an agent echoes may be ahead of both the clock and our own epoch; a larger one is
  /// ignored. Epochs have 64 bits and begin at unix time, so counting never reaches their end.
  static constexpr std::uint64_t kMostEpochAhead = std::uint64_t{1} << 32;
  /// Encoded bytes of Fulls that are arriving: of all agents together, and of the agents at one address.
  static constexpr rpc::Quota::Limits kArriving{std::size_t{128} << 20, std::size_t{32} << 20};
  /// Keys beyond the number of a node's endpoints that are kept when its session has ended.
  static constexpr std::size_t kMostKeptKeys = 1000;
  static constexpr std::uint64_t kSessionLines = 1000;  // log lines in each interval

  struct Environment {
    catalog::Catalog& catalog;
    const Clock& clock;
    Timers& timers;
    std::string instance;           // "eu-1/host"
    std::function<void()> changed;  // called when the catalog may have a new revision; must be cheap
    std::function<void(const std::string& node)> synced = {};    // an agent has reported all its records, or leaves
    std::function<void(const std::string& endpoint)> told = {};  // an agent has sent this record, changed or not
    Admission::Rates rates = {};
  };

  explicit Agents(Environment environment);
  ~Agents();

  /// Begins a session on a new stream. The caller passes the stream's events to the returned session, which exists
  /// until closed() was called on it.
  /// pulse: for note(), with the messages of this stream
  std::shared_ptr<ReportSession> open(std::shared_ptr<ReportPort> port,
                                      std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>(), ReportPeer peer = {});
  /// Counts and logs a caller who is nobody, or who may not report for a node.
  /// peer: where the caller is
  void refused(const std::string& peer, const Error& why);
  /// Notes a heartbeat that reports nothing new.
  /// returns: false = the session has to handle the message
  /// thread: any
  bool note(const std::shared_ptr<Pulse>& pulse, const v1::AgentMessage& message) {
    return pulses_.note(pulse, message, env_.clock.now());
  }
  /// Expects the agent of a node that was restored from the store: the agent gets time to come back.
  void expect(const std::string& node) { leases_.expect(node, env_.clock.now()); }
  /// Notes an endpoint that was restored from the store, with the result of digest_of() when it was stored. An agent
  /// whose digest is the sum of its node's digests need not send a Full.
  void restored(const model::Endpoint& endpoint, std::uint64_t digest);
  /// Returns the endpoint's part of its agent's digest. 0 = not known: the agent has not reported all its records, or
  /// the catalog does not show the latest report because the mesh is frozen.
  std::uint64_t digest_of(const model::Endpoint& endpoint) const;
  /// Judges which agents are silent and what agents are to measure. Demotes silent nodes that no brake holds. Called
  /// every Leases::sweep_interval().
  void sweep();
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
  void ask_for_missing();

  const Leases& leases() const { return leases_; }
  const Brakes& brakes() const { return brakes_; }
  const Measuring& measuring() const { return measuring_; }
  const Coverage& coverage() const { return coverage_; }
  const AgentCounters& counters() const { return counters_; }
  const Load& load() const { return load_; }
  std::size_t connected() const { return holders_.size(); }
  /// The encoded bytes of Fulls that are arriving.
  std::size_t arriving_bytes() const { return arriving_.total(); }
  std::size_t open_streams() const { return sessions_.size(); }
  bool is_connected(const std::string& node) const { return holders_.contains(node); }

 private:
  friend class ReportSession;

  /// Returns the session that reports for a node now; null = none.
  std::shared_ptr<ReportSession> holder(const std::string& node) const;
  void take_over(const std::string& node, const std::shared_ptr<ReportSession>& session);
  void closed(const ReportSession& session);
  std::uint64_t next_epoch(std::uint64_t echoed);
  /// Returns the time after which a new session shall come back; zero = it begins now.
  Duration defer(const std::string& node, std::uint64_t digest);
  /// Returns whether the catalog has this node, or room for one more. If not, the catalog notes that it is full.
  bool has_room_for(const std::string& node);
  /// Returns the number of the session since which the node's addresses and prefixes have been the same without a
  /// silence in between. `epoch`, the new session's, if they changed or the node was silent.
  std::uint64_t session_of(const model::Node& node, std::uint64_t epoch) const;
  bool needs_full(const std::string& node, std::uint64_t digest) const;
  void measure_load(TimePoint now);
  /// Handles the heartbeats that were noted since the last call.
  void take_pulses();
  /// The time between two judgements of agents that a brake holds. A judgement costs by the number of all agents, so
  /// the time grows with that number.
  Duration judge_pace() const { return Leases::sweep_interval() * (1 + leases_.size() / kJudgedPerSweep); }
  void sweep_measuring(TimePoint now);
  /// Takes note of which sources the agent reads, and publishes the problem of the first source that it does not read.
  void sources_told(const std::string& node, const google::protobuf::RepeatedPtrField<v1::Source>& sources);
  /// Takes note that the agent has reported records, so that Coverage finds the endpoints that no agent checks.
  /// listed: the sources whose records are complete
  void records_told(const std::string& node, const std::set<std::string>& listed);
  /// Asks the node's agent for a Full, now or in its next session.
  void ask_for_full(const std::string& node);
  void offer_room();
  std::string zone_of(const std::string& node) const;
  Brakes::Hearing hear(TimePoint now) const;
  /// Demotes the silent nodes that the brakes do not hold.
  void demote(TimePoint now);
  void publish(const std::string& node, model::NodeStatus status, TimePoint now);
  /// Publishes the brakes' verdict about a node's endpoints that no agent checks.
  void publish_unwatched(const std::string& node, const std::string& held_by, TimePoint now);
  /// Clears the node's `unwatched` status: all its endpoints are checked again, or their lease is not over.
  void clear_unwatched(const std::string& node, TimePoint now);
  void forget_silent(Duration forget_after, TimePoint now);
  /// Logs which brakes have closed and which have opened since the last call.
  void tell_of_brakes();

  Environment env_;
  Leases leases_;
  Brakes brakes_;
  std::map<std::pair<std::string, std::string>, std::size_t> brakes_told_;  // held nodes, by the brake's name and cover
  bool waiting_ = false;                                                    // some silent node is not demoted yet
  TimePoint judged_{};
  Load load_;
  Admission admission_;
  PulseInbox pulses_;
  Measuring measuring_;
  Coverage coverage_;
  std::vector<std::string> erased_;      // endpoints erased since ask_for_missing()
  std::set<std::string> short_of_room_;  // nodes of which endpoints were refused for want of room
  AgentCounters counters_;
  rpc::Quota arriving_{kArriving};  // declared before the sessions, which hold shares
  log::Ration session_lines_{"agents", kSessionLines};
  std::unordered_map<std::string, NodeCopy> copies_;
  std::unordered_map<std::string, std::weak_ptr<ReportSession>> holders_;
  std::uint64_t holders_changed_ = 0;       // counts the changes of holders_
  std::uint64_t forgotten_generation_ = 0;  // of the catalog's nodes, at the last forget_gone()
  std::map<const ReportSession*, std::shared_ptr<ReportSession>> sessions_;
  Openings<ReportSession> openings_;
  std::uint64_t last_epoch_ = 0;
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
