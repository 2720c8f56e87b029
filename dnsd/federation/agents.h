#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/rpc/port.h"
#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/federation/brakes.h"
#include "dnsd/federation/leases.h"
#include "dnsd/federation/measuring.h"
#include "dnsd/federation/openings.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

class ReportSession;
using ReportPort = rpc::Port<v1::ReportReply>;

/// What one node's agent has told us, over all of its sessions.
struct NodeCopy {
  std::map<std::string, std::uint64_t> hashes;  // of every record it sent, refused ones included; by its own keys
  std::uint64_t digest = 0;                     // their sum
  std::uint64_t known_sequence = 0;
  bool whole = false;  // no: a Full was never sent to its end

  void put(const std::string& key, std::uint64_t hash);
  void erase(const std::string& key);
  void clear();
};

/// Counts for metrics and status.
struct AgentCounters {
  std::uint64_t sessions = 0;
  std::uint64_t messages = 0;
  std::uint64_t refused_records = 0;
  std::uint64_t protocol_errors = 0;
  std::map<std::string, std::uint64_t> brakes_closed;  // how often, by name
};

/// All agents of a federation: their sessions, leases, and what they have told.
/// thread: control
class Agents {
 public:
  /// A holder of a node's session that is asked whether it still lives has this long to answer.
  static constexpr Duration kProofOfLife = 1s;

  struct Environment {
    catalog::Catalog& catalog;
    const Clock& clock;
    Timers& timers;
    std::string instance;                                      // "eu-1/host"
    std::function<void()> changed;                             // the catalog may have a new revision
    std::function<void(const std::string& node)> synced = {};  // an agent has told all that it has, or that it goes
  };

  explicit Agents(Environment environment);
  ~Agents();

  /// A new stream. Returns what its events go to; it lives until closed() was called on it.
  std::shared_ptr<ReportSession> open(std::shared_ptr<ReportPort> port);
  /// A node that was restored from the store: it is given the time to come back.
  void expect(const std::string& node) { leases_.expect(node, env_.clock.now()); }
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
  /// Tells every agent to go, and takes no more.
  void shut_down();

  const Leases& leases() const { return leases_; }
  const Brakes& brakes() const { return brakes_; }
  const Measuring& measuring() const { return measuring_; }
  const AgentCounters& counters() const { return counters_; }
  std::size_t connected() const { return holders_.size(); }
  std::size_t open_streams() const { return sessions_.size(); }
  bool is_connected(const std::string& node) const { return holders_.contains(node); }

 private:
  friend class ReportSession;

  /// The session that speaks for a node now; null = none
  std::shared_ptr<ReportSession> holder(const std::string& node) const;
  void take_over(const std::string& node, const std::shared_ptr<ReportSession>& session);
  void closed(const ReportSession& session);
  std::uint64_t next_epoch(std::uint64_t echoed);
  void sweep_measuring(TimePoint now);
  std::string zone_of(const std::string& node) const;
  Brakes::Hearing hear(TimePoint now) const;
  /// Demotes those who are silent, as far as the brakes let them go.
  void demote(TimePoint now);
  void publish(const std::string& node, const model::NodeStatus& status, TimePoint now);
  void forget_silent(Duration forget_after, TimePoint now);
  /// Tells which brakes have closed and which have opened since the last call.
  void tell_of_brakes();

  Environment env_;
  Leases leases_;
  Brakes brakes_;
  std::map<std::pair<std::string, std::string>, std::size_t> brakes_told_;  // held, by name and what it covers
  bool waiting_ = false;                                                    // somebody is silent who was not demoted
  Measuring measuring_;
  AgentCounters counters_;
  std::map<std::string, NodeCopy> copies_;
  std::map<std::string, std::weak_ptr<ReportSession>> holders_;
  std::map<const ReportSession*, std::shared_ptr<ReportSession>> sessions_;
  Openings<ReportSession> openings_;
  std::uint64_t last_epoch_ = 0;
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
