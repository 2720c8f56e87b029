#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::federation {

/// Knows when each agent was last heard, and judges which agents are in doubt and which are silent. Used by Agents; the
/// brakes decide whether a silent node is demoted. Pure. Silence is not death: an agent that is back within kTolerance
/// changes nothing, and after a start of the federation no agent counts as silent for kGrace, because agents need time
/// to find the federation again.
///
/// How it works: each agent is judged by the heartbeat interval that it was told. A queue ordered by time holds for
/// each agent the next moment at which its status can change. A message only notes that the agent was heard; the queue
/// entry is put off when its moment comes. So a message costs one look-up, and a sweep costs by the agents whose moment
/// has come, not by all agents.
///
///   heard ----2.5 heartbeats----> in doubt ----3 heartbeats, at least 10 s, from heard----> silent
///     ^------------------------------- any message -----------------------------------------'
/// source: docs/design.md section 5, "A silent agent"
class Leases {
 public:
  static constexpr Duration kTolerance = 10s;
  static constexpr Duration kGrace = 60s;
  static constexpr std::uint32_t kHeartbeatsPerSecond = 2000;  // from all agents together

  explicit Leases(TimePoint started) : started_(started), swept_(started) {}

  /// Notes that an agent was heard.
  void heard(const std::string& node, TimePoint now);
  /// Expects the agent of a restored node: the node gets kGrace to come back, and is not even in doubt before.
  void expect(const std::string& node, TimePoint now);
  /// Drops an agent.
  void forget(const std::string& node);
  /// Drops every agent for whose node gone(node) is true.
  template <class Gone>
  void forget_if(Gone gone) {
    std::vector<std::string> nodes;
    for (const auto& [node, entry] : entries_) {
      if (gone(node)) nodes.push_back(node);
    }
    for (const std::string& node : nodes) forget(node);
  }

  /// The heartbeat interval for agents now: one second, longer with more than kHeartbeatsPerSecond agents or while the
  /// federation is busy.
  Duration heartbeat() const;
  /// The lease of an agent that was told this interval.
  static Duration lease_of(Duration heartbeat) { return 3 * heartbeat; }
  /// Sets how many times longer than usual the interval is because the federation is busy; at least 1.
  void stretch(double factor) { stretch_ = factor; }
  /// Returns the time until the agent counts as silent if it is not heard any more; zero = it does, or is not known.
  Duration lease_left(const std::string& node, TimePoint now) const;
  /// Returns whether the interval has changed by a quarter or more since this agent was told.
  bool must_tell(const std::string& node) const;
  /// Notes that the agent was told heartbeat(). A longer interval counts at once. A shorter one counts when the agent
  /// is heard again, because the agent cannot keep an interval that it has not read yet.
  void told(const std::string& node);
  /// The time between calls of sweep().
  static constexpr Duration sweep_interval() { return 250ms; }

  struct Verdict {
    std::string node;
    model::NodeStatus status;

    friend bool operator==(const Verdict&, const Verdict&) = default;
  };
  /// Judges the agents whose moment has come. A sweep that comes late gives every agent that much more time, because
  /// messages may wait unread. A silent agent's node is demoted only if the brakes let it.
  /// returns: the nodes whose status changed, in the order of their names
  std::vector<Verdict> sweep(TimePoint now);
  /// The lateness of the last sweep.
  Duration lag() const { return lag_; }

  /// An agent as the brakes see it.
  struct Hearing {
    const std::string& node;
    TimePoint since{};     // when it was last heard, later by the time that late sweeps forgave
    bool overdue = false;  // a heartbeat is late by half an interval
    bool silent = false;   // as of the last sweep
  };
  /// Calls `see` with every agent. Costs by the number of agents, so call it only while an agent is silent.
  template <class See>
  void each(TimePoint now, See see) const {
    for (const auto& [node, entry] : entries_) {
      const TimePoint since = heard_at(entry);
      see(Hearing{node, since, now - since >= 3 * entry.told / 2, entry.status.silent});
    }
  }
  bool knows(const std::string& node) const { return entries_.contains(node); }
  /// Returns the status of a node as of the last sweep.
  /// requires: knows(node)
  const model::NodeStatus& status(const std::string& node) const { return entries_.at(node).status; }

  /// The number of silent agents, whether or not a brake holds them.
  std::size_t silent() const { return silent_; }
  std::size_t size() const { return entries_.size(); }
  /// The number of queue entries that all sweeps have looked at. For tests of the cost.
  std::uint64_t steps() const { return steps_; }

 private:
  struct Entry {
    TimePoint heard{};
    Duration forgiven_before{};  // forgiven_ when it was last heard
    Duration told = 1s;          // the interval by which the agent is judged
    Duration told_next = 1s;     // the interval that it was told last
    bool expected = false;       // restored, and not heard since the start
    bool queued = false;
    TimePoint due{};  // its moment in the queue
    model::NodeStatus status;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  /// Returns when the agent was heard, moved on by the lateness of all sweeps since.
  TimePoint heard_at(const Entry& entry) const { return entry.heard + (forgiven_ - entry.forgiven_before); }
  Duration silent_after(const Entry& entry) const { return std::max(lease_of(entry.told), kTolerance); }
  /// Two heartbeats are missed, and the third is late by half an interval.
  static Duration doubtful_after(const Entry& entry) { return 5 * entry.told / 2; }
  model::NodeStatus judge(const Entry& entry, TimePoint now) const;
  void queue(Entries::value_type& entry, TimePoint due);
  void unqueue(Entries::value_type& entry);
  /// Queues the agent for the next moment at which its status can change without a message; not at all if it is silent.
  void queue_next(Entries::value_type& entry, TimePoint now);

  TimePoint started_;
  TimePoint swept_;
  Duration lag_{};
  Duration forgiven_{};  // lateness of all sweeps so far
  double stretch_ = 1;
  Entries entries_;
  std::set<std::pair<TimePoint, Entries::value_type*>> queue_;
  std::size_t silent_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace meshdns::federation
