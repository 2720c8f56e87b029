#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/log/audit.h"
#include "common/log/ration.h"
#include "common/rpc/quota.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/admission.h"
#include "dnsd/federation/agent_sessions.h"
#include "dnsd/federation/bindings.h"
#include "dnsd/federation/coverage.h"
#include "dnsd/federation/leases.h"
#include "dnsd/federation/load.h"
#include "dnsd/federation/measuring.h"
#include "dnsd/federation/node_rules.h"
#include "dnsd/federation/stand_ins.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

struct ClampedRecords;

/// Counts for metrics and status.
struct AgentCounters {
  std::uint64_t sessions = 0;
  std::uint64_t deferred = 0;  // sessions whose agent was told to come back later
  std::uint64_t messages = 0;
  std::uint64_t refused_records = 0;
  std::uint64_t protocol_errors = 0;
  std::uint64_t cut = 0;                               // sessions ended because the agent did not read
  std::uint64_t clamped = 0;                           // impossible values: replaced or ignored
  std::uint64_t not_allowed = 0;                       // callers who may not do what they ask for
  std::map<std::string, std::uint64_t> brakes_closed;  // how often, by name
};

/// The ports that agents shall map on their nodes. Both functions may be empty: then nothing is mapped.
struct MappingSource {
  /// Returns the nodes at which something may have changed since the last call.
  std::function<std::set<std::string>()> changed = {};
  /// Writes all mappings of a node. Leaves `out` as it is while they are not known.
  std::function<void(const std::string& node, v1::Settings& out)> write = {};
};

/// What Agents and its sessions need of the daemon. Everything that it refers to must outlive them.
struct AgentEnvironment {
  catalog::Catalog& catalog;
  const Clock& clock;
  Timers& timers;
  std::string instance;           // "eu-1/host"
  std::function<void()> changed;  // called when the catalog may have a new revision; must be cheap
  std::function<void(const std::string& node)> synced = {};    // an agent has reported all its records, or leaves
  std::function<void(const std::string& endpoint)> told = {};  // an agent has sent this record, changed or not
  Admission::Rates rates = {};
  bool identities = false;  // certificates say who a node is, so more rules hold (NodeRules)
  std::function<void(const log::AuditEntry&)> audit = {};  // takes note of callers who may not report
  MappingSource mappings = {};
};

/// What the agents have reported: puts the reports of sessions into the catalog, and keeps what is known of each node's
/// agent: its lease, its copy (NodeCopy), what it checks and what it measures. Between Agents, which owns this and
/// judges silence, and ReportSession, which speaks the protocol: neither knows the inside of the other.
/// thread: control
class AgentReports {
 public:
  /// The limit by which an epoch that an agent echoes may be ahead of both the clock and our own epoch; a larger one is
  /// ignored. Epochs have 64 bits and begin at unix time, so counting never reaches their end.
  static constexpr std::uint64_t kMostEpochAhead = std::uint64_t{1} << 32;
  /// Encoded bytes of Fulls that are arriving: of all agents together, and of the agents at one address.
  static constexpr rpc::Quota::Limits kArriving{std::size_t{128} << 20, std::size_t{32} << 20};
  /// Keys beyond the number of a node's endpoints that are kept when its session has ended.
  static constexpr std::size_t kMostKeptKeys = 1000;
  static constexpr std::uint64_t kSessionLines = 1000;  // log lines in each interval

  explicit AgentReports(AgentEnvironment environment);
  ~AgentReports();

  const AgentEnvironment& environment() const { return env_; }
  catalog::Catalog& catalog() const { return env_.catalog; }
  TimePoint now() const { return env_.clock.now(); }
  AgentSessions& sessions() { return sessions_; }
  const AgentSessions& sessions() const { return sessions_; }
  Leases& leases() { return leases_; }
  const Leases& leases() const { return leases_; }
  Load& load() { return load_; }
  const Load& load() const { return load_; }
  Measuring& measuring() { return measuring_; }
  const Measuring& measuring() const { return measuring_; }
  Coverage& coverage() { return coverage_; }
  const Coverage& coverage() const { return coverage_; }
  Bindings& bindings() { return bindings_; }
  const Bindings& bindings() const { return bindings_; }
  StandIns& stand_ins() { return stand_ins_; }
  const StandIns& stand_ins() const { return stand_ins_; }
  AgentCounters& counters() { return counters_; }
  const AgentCounters& counters() const { return counters_; }
  /// The share of log lines for single agents.
  log::Ration& lines() { return lines_; }
  /// The room for Fulls that are arriving.
  rpc::Quota& arriving() { return arriving_; }
  const rpc::Quota& arriving() const { return arriving_; }

  // ---- copies: what the catalog is compared with ----

  /// Returns the copy of a node's records, which it makes if there is none.
  NodeCopy& copy(const std::string& node) { return copies_[node]; }
  bool has_copy(const std::string& node) const { return copies_.contains(node); }
  /// Notes an endpoint that was restored from the store, see Agents::restored().
  void restored(const model::Endpoint& endpoint, std::uint64_t digest);
  /// Returns the endpoint's part of its agent's digest, see Agents::digest_of().
  std::uint64_t digest_of(const model::Endpoint& endpoint) const;
  /// Drops everything about a node's agent.
  void forget(const std::string& node);
  /// Drops everything about the agents of nodes for which gone(node) is true.
  void forget_if(const std::function<bool(const std::string& node)>& gone);

  // ---- the begin and the end of a session ----

  /// Returns whether the catalog has this node, or room for one more. If not, the catalog notes that it is full.
  bool has_room_for(const std::string& node);
  /// Returns the time after which a new session shall come back; zero = it begins now.
  /// digest: of the records that the agent has
  Duration defer(const std::string& node, std::uint64_t digest);
  /// Returns whether the agent has to send all its records.
  bool needs_full(const std::string& node, std::uint64_t digest) const;
  /// Returns the epoch of a new session.
  /// echoed: the last epoch that the agent knows
  std::uint64_t next_epoch(std::uint64_t echoed);
  /// Returns the number of the session since which the node's addresses and prefixes have been the same without a
  /// silence in between. `epoch`, the new session's, if they changed or the node was silent.
  std::uint64_t session_of(const model::Node& node, std::uint64_t epoch) const;
  /// Drops a session whose stream has ended.
  void closed(const ReportSession& session);
  /// Removes the records of a node whose agent says that the node goes, except pods that a watcher takes over.
  void withdraw(const std::string& node);
  /// Notes that a session begins.
  /// names_all_pods: false = the agent is of an older version, and reports only pods with a service of their own
  void begins(const std::string& node, bool names_all_pods);
  /// Notes that an agent has said goodbye.
  /// withdraw: its records go with it
  void leaves(const std::string& node, bool withdraw);
  /// Takes note that the lease of a node's agent is over. If the agent has said goodbye, a watcher that knows the pods
  /// of the node takes them over.
  /// returns: whether it does, so that the node is not silent
  bool lease_over(const std::string& node);
  /// Takes note that a silent agent is heard again: its claim on its pods is back.
  void heard_again(const std::string& node);
  /// Takes note that records of a node were removed: an agent that does not name all pods leaves the others to the
  /// watcher.
  void pods_may_be_unnamed(const std::string& node);
  /// Lets watchers take over the pods of nodes whose agents have not read their pods for a lease.
  void take_over_lapsed();
  /// Lets a watcher that knows its whole cluster now take over what is waiting for it.
  void watcher_listed();
  /// Takes note that the Node of Kubernetes was deleted: its records go, as soon as its agent is not connected.
  void node_deleted(const std::string& node);

  /// Counts a caller who is nobody, or who may not report for a node, and notes it in the audit.
  void refused(const log::AuditEntry& what);

  // ---- what a node may report ----

  /// Places a node whose agent says no region or zone, if a watcher knows them. Removes the addresses and prefixes that
  /// the node may not claim, logs them and notes the others as claimed.
  /// returns: the removed ones
  std::vector<catalog::Refusal> permit(model::Node& node);
  /// Removes the endpoints that the node may not list.
  /// node:     as permit() has left it
  /// listed:   sources whose records are complete, so that others of theirs are withdrawn; empty for a Delta
  /// removals: keys that the same message removes
  /// returns:  the removed ones
  std::vector<catalog::Refusal> permit(const model::Node& node, std::vector<model::Endpoint>& endpoints,
                                       const std::set<std::string>& listed, const std::vector<std::string>& removals);
  /// Withdraws what changed rules forbid, and asks for what they may allow now. Called in each sweep.
  void apply_changed_rules();
  /// Withdraws the endpoints that the node may not list by the present rules, and by its present claims.
  /// node: as permit() has left it
  void withdraw_forbidden(const model::Node& node);

  // ---- reports ----

  /// Writes the heartbeat interval and what to measure, and notes that the node's agent was told.
  void write_settings(const std::string& node, v1::Settings& out);
  /// Calls AgentEnvironment::synced: the agent has reported all its records.
  void synced(const std::string& node);
  /// Calls AgentEnvironment::told for each record.
  void told(const std::vector<model::Endpoint>& endpoints);
  /// Counts durations of a report that were out of bounds, and logs the first one.
  /// told: the log has said so already in this session
  void note_clamped(const std::string& node, const ClampedRecords& clamped, bool told);
  /// Takes note of which sources the agent reads, and publishes the problem of the first source that it does not read.
  void sources_told(const std::string& node, const google::protobuf::RepeatedPtrField<v1::Source>& sources);
  /// Takes note that the agent has reported records, so that Coverage finds the endpoints that no agent checks.
  /// listed: the sources whose records are complete
  void records_told(const std::string& node, const std::set<std::string>& listed);
  /// Clears the node's `unwatched` status: all its endpoints are checked again, or their lease is not over.
  void clear_unwatched(const std::string& node, TimePoint now);
  /// Returns whether the catalog has endpoints of these sources that the agent did not send.
  bool has_leftovers(const std::string& node, const std::set<std::string>& sources);
  /// Asks agents for a Full where the catalog lacks records that the agent has sent, see Agents::ask_for_missing().
  void ask_for_missing();

 private:
  /// Takes note of whether the agent lists the pods of its node.
  void pods_told(const std::string& node, bool listed);
  /// Asks the node's agent for a Full, now or in its next session.
  void ask_for_full(const std::string& node);
  void offer_room();
  /// Applies changed rules to one node.
  /// may_gain: something that it was refused may be allowed now
  void judge_again(const std::string& node, bool may_gain);

  AgentEnvironment env_;
  Leases leases_;
  Load load_;
  Admission admission_;
  Measuring measuring_;
  Coverage coverage_;
  NodeRules rules_;
  Bindings bindings_;
  StandIns stand_ins_;
  std::set<std::string> lists_pods_;     // nodes whose agents have said last that they list pods
  std::set<std::string> names_some_;     // nodes whose agents report only pods with a service of their own
  std::set<std::string> farewells_;      // nodes whose agents have said goodbye, and were not heard since
  std::set<std::string> deleted_;        // nodes that Kubernetes has deleted while their agents were connected
  std::vector<std::string> erased_;      // endpoints erased since ask_for_missing()
  std::set<std::string> short_of_room_;  // nodes of which endpoints were refused for want of room
  AgentCounters counters_;
  rpc::Quota arriving_{kArriving};  // declared before the sessions, which hold shares
  log::Ration lines_{"agents", kSessionLines};
  std::unordered_map<std::string, NodeCopy> copies_;
  AgentSessions sessions_;
  std::uint64_t last_epoch_ = 0;
};

}  // namespace meshdns::federation
