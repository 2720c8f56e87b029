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

/// Where an agent's stream comes from.
struct ReportPeer {
  bool here = true;       // from this machine
  std::string address{};  // by which it is counted; empty = it has none
};

/// Counts for metrics and status.
struct AgentCounters {
  std::uint64_t sessions = 0;
  std::uint64_t deferred = 0;  // sessions that were told to come back later
  std::uint64_t messages = 0;
  std::uint64_t refused_records = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t cut = 0;      // sessions whose agent did not read
  std::uint64_t clamped = 0;  // values that no agent can mean: they count as another, or as none
  std::map<std::string, std::uint64_t> brakes_closed;  // how often, by name
};

/// All agents of a federation: their sessions, leases, and what they have told.
/// thread: control
class Agents {
 public:
  /// A holder of a node's session that is asked whether it still lives has this long to answer.
  static constexpr Duration kProofOfLife = 1s;
  static constexpr std::size_t kJudgedPerSweep = 1000;
  /// An epoch that an agent echoes counts if it is at most so far ahead of the clock and of our own. Epochs are 64 bits
  /// and begin at unix time: from there nobody gets to their end by counting.
  static constexpr std::uint64_t kMostEpochAhead = std::uint64_t{1} << 32;
  /// The records of Fulls that are arriving, encoded: of all agents, and of those at one address.
  static constexpr rpc::Quota::Limits kArriving{std::size_t{128} << 20, std::size_t{32} << 20};
  /// Keys beyond a node's endpoints that are remembered when its session has ended.
  static constexpr std::size_t kMostKeptKeys = 1000;
  static constexpr std::uint64_t kSessionLines = 1000;  // of the log, in each interval

  struct Environment {
    catalog::Catalog& catalog;
    const Clock& clock;
    Timers& timers;
    std::string instance;                                        // "eu-1/host"
    std::function<void()> changed;                               // the catalog may have a new revision; must be cheap
    std::function<void(const std::string& node)> synced = {};    // an agent has told all that it has, or that it goes
    std::function<void(const std::string& endpoint)> told = {};  // an agent has sent this record, changed or not
    Admission::Rates rates = {};
  };

  explicit Agents(Environment environment);
  ~Agents();

  /// Begins a session on a new stream. Its events go to what is returned, which lives until closed() was called on it.
  /// pulse: for note(), with the messages of this stream
  std::shared_ptr<ReportSession> open(std::shared_ptr<ReportPort> port,
                                      std::shared_ptr<Pulse> pulse = std::make_shared<Pulse>(), ReportPeer peer = {});
  /// Whether the message is a heartbeat that says nothing new; then it is noted, and no session has to handle it.
  /// thread: any
  bool note(const std::shared_ptr<Pulse>& pulse, const v1::AgentMessage& message) {
    return pulses_.note(pulse, message, env_.clock.now());
  }
  /// A node that was restored from the store: it is given the time to come back.
  void expect(const std::string& node) { leases_.expect(node, env_.clock.now()); }
  /// An endpoint was restored from the store, with what digest_of() said of it when it was stored. An agent whose
  /// digest is the sum of its node's need not send a Full.
  void restored(const model::Endpoint& endpoint, std::uint64_t digest);
  /// Returns the part that an endpoint of the catalog has in its agent's digest. 0 = not known: the agent has not told
  /// all that it has, or the catalog does not show what it has told last, because the mesh is frozen.
  std::uint64_t digest_of(const model::Endpoint& endpoint) const;
  /// Judges who is silent, and what agents are to measure; called every Leases::sweep_interval(). Who is silent is
  /// demoted, unless a brake holds it.
  void sweep();
  /// Ends the streams whose Hello is overdue; called every half second or so.
  void end_silent_streams();
  /// Forgets what Catalog::forget() names, unless a brake holds it.
  void forget(Duration forget_after);
  /// Drops what is kept of nodes that the catalog has forgotten: they count no more among the agents that share the
  /// heartbeats, and one whose stream is open all the same (its machine slept) has to begin anew.
  void forget_gone();
  /// Withdraws a node's records, as its agent would when it leaves: for a node whose machine is gone.
  /// errors: NotFound; FailedPrecondition: its agent is connected, or the mesh is frozen
  Result<void> remove(const std::string& node);
  /// Tells every agent to go, and takes no more.
  void shut_down();
  /// Asks for what the catalog lacks of a node's records though its agent has told them: forgotten endpoints, and those
  /// that were refused for want of room, when there is some.
  void ask_for_missing();

  const Leases& leases() const { return leases_; }
  const Brakes& brakes() const { return brakes_; }
  const Measuring& measuring() const { return measuring_; }
  const Coverage& coverage() const { return coverage_; }
  const AgentCounters& counters() const { return counters_; }
  const Load& load() const { return load_; }
  std::size_t connected() const { return holders_.size(); }
  /// The bytes of Fulls that are arriving.
  std::size_t arriving_bytes() const { return arriving_.total(); }
  std::size_t open_streams() const { return sessions_.size(); }
  bool is_connected(const std::string& node) const { return holders_.contains(node); }

 private:
  friend class ReportSession;

  /// The session that speaks for a node now; null = none
  std::shared_ptr<ReportSession> holder(const std::string& node) const;
  void take_over(const std::string& node, const std::shared_ptr<ReportSession>& session);
  void closed(const ReportSession& session);
  std::uint64_t next_epoch(std::uint64_t echoed);
  /// Returns when a new session shall come back; zero = it begins now.
  Duration defer(const std::string& node, std::uint64_t digest);
  /// Returns whether the catalog has this node, or room for one more. If not, the catalog notes that it is full.
  bool has_room_for(const std::string& node);
  /// The session that a node's addresses and prefixes are told in: the one that told them first, unless it was silent
  /// meanwhile.
  std::uint64_t session_of(const model::Node& node, std::uint64_t epoch) const;
  bool needs_full(const std::string& node, std::uint64_t digest) const;
  void measure_load(TimePoint now);
  /// Takes over the heartbeats that were noted since the last call.
  void take_pulses();
  /// Between two judgements of agents that a brake holds: they cost by the number of all agents.
  Duration judge_pace() const { return Leases::sweep_interval() * (1 + leases_.size() / kJudgedPerSweep); }
  void sweep_measuring(TimePoint now);
  /// The agent has told which of its sources it reads, perhaps with all its records.
  void sources_told(const std::string& node, const google::protobuf::RepeatedPtrField<v1::Source>& sources);
  /// listed: the sources whose records are complete
  void records_told(const std::string& node, const std::set<std::string>& listed);
  /// Lets the session ask its agent for everything at once, or the next one if there is none now.
  void ask_for_full(const std::string& node);
  void offer_room();
  std::string zone_of(const std::string& node) const;
  Brakes::Hearing hear(TimePoint now) const;
  /// Demotes those who are silent, as far as the brakes let them go.
  void demote(TimePoint now);
  void publish(const std::string& node, model::NodeStatus status, TimePoint now);
  /// The verdict of the brakes about endpoints that nobody checks.
  void publish_unwatched(const std::string& node, const std::string& held_by, TimePoint now);
  /// Everything of the node is checked again, or has a lease left.
  void clear_unwatched(const std::string& node, TimePoint now);
  void forget_silent(Duration forget_after, TimePoint now);
  /// Tells which brakes have closed and which have opened since the last call.
  void tell_of_brakes();

  Environment env_;
  Leases leases_;
  Brakes brakes_;
  std::map<std::pair<std::string, std::string>, std::size_t> brakes_told_;  // held, by name and what it covers
  bool waiting_ = false;                                                    // somebody is silent who was not demoted
  TimePoint judged_{};
  Load load_;
  Admission admission_;
  PulseInbox pulses_;
  Measuring measuring_;
  Coverage coverage_;
  std::vector<std::string> erased_;      // endpoints that went since ask_for_missing()
  std::set<std::string> short_of_room_;  // nodes of which endpoints were refused for want of room
  AgentCounters counters_;
  rpc::Quota arriving_{kArriving};  // before the sessions, which have shares of it
  log::Ration session_lines_{"agents", kSessionLines};
  std::unordered_map<std::string, NodeCopy> copies_;
  std::unordered_map<std::string, std::weak_ptr<ReportSession>> holders_;
  std::uint64_t holders_changed_ = 0;       // how often holders_ became different
  std::uint64_t forgotten_generation_ = 0;  // of the catalog's nodes, at the last look for those that are gone
  std::map<const ReportSession*, std::shared_ptr<ReportSession>> sessions_;
  Openings<ReportSession> openings_;
  std::uint64_t last_epoch_ = 0;
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
