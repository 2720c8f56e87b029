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

/// Which agent was heard when, and what follows from its silence. Pure. Silence is not death: a node that is back
/// within kTolerance changes nothing, and after a start of the federation nobody counts as silent for kGrace, because
/// agents need time to find it again.
///
/// How it works: each agent is judged by the heartbeat interval that it was told. The next moment at which its status
/// can change is in a queue ordered by time; a message only notes that the agent was heard, and the queue's entry is
/// put off when its moment comes. So a message costs one look-up, and a sweep costs by the agents whose moment has
/// come, not by all agents. source: docs/design.md section 5, "A silent agent"
class Leases {
 public:
  static constexpr Duration kTolerance = 10s;
  static constexpr Duration kGrace = 60s;
  static constexpr std::uint32_t kHeartbeatsPerSecond = 2000;  // of all agents together

  explicit Leases(TimePoint started) : started_(started), swept_(started) {}

  /// The agent has said something.
  void heard(const std::string& node, TimePoint now);
  /// A node that was restored: it is given the time to come back, and until then nothing is said of it.
  void expect(const std::string& node, TimePoint now);
  void forget(const std::string& node);
  template <class Gone>
  void forget_if(Gone gone) {
    std::vector<std::string> nodes;
    for (const auto& [node, entry] : entries_) {
      if (gone(node)) nodes.push_back(node);
    }
    for (const std::string& node : nodes) forget(node);
  }

  /// How often an agent shall be heard now: each second, less often where there are more than kHeartbeatsPerSecond or
  /// where the federation is busy.
  Duration heartbeat() const;
  /// How long an agent that was told this heartbeat may be silent.
  static Duration lease_of(Duration heartbeat) { return 3 * heartbeat; }
  /// factor: how many times longer than usual the interval is, because the federation is busy; at least 1
  void stretch(double factor) { stretch_ = factor; }
  /// Whether the interval has changed by a quarter or more since this agent was told.
  bool must_tell(const std::string& node) const;
  /// The agent was told heartbeat(). A longer interval counts at once, a shorter one when the agent is heard again: it
  /// cannot keep what it has not read yet.
  void told(const std::string& node);
  /// Between calls of sweep().
  static constexpr Duration sweep_interval() { return 250ms; }

  struct Verdict {
    std::string node;
    model::NodeStatus status;

    friend bool operator==(const Verdict&, const Verdict&) = default;
  };
  /// Returns the nodes whose status changed, by name; whether those that are silent count as such, the brakes say. A
  /// sweep that comes late gives everybody that much more time: what they sent may wait unread.
  std::vector<Verdict> sweep(TimePoint now);
  /// How late the last sweep was.
  Duration lag() const { return lag_; }

  /// An agent as the brakes see it.
  struct Hearing {
    const std::string& node;
    TimePoint since{};     // it was last heard, less the time that late sweeps forgave
    bool overdue = false;  // a heartbeat is late by half of its interval
    bool silent = false;   // as of the last sweep
  };
  /// Shows every agent. Costs by the number of agents: only for when somebody is silent.
  template <class See>
  void each(TimePoint now, See see) const {
    for (const auto& [node, entry] : entries_) {
      const TimePoint since = heard_at(entry);
      see(Hearing{node, since, now - since >= 3 * entry.told / 2, entry.status.silent});
    }
  }
  bool knows(const std::string& node) const { return entries_.contains(node); }
  /// Returns the status of a known node as of the last sweep.
  const model::NodeStatus& status(const std::string& node) const { return entries_.at(node).status; }

  /// Agents whose lease ran out, whatever a brake makes of it.
  std::size_t silent() const { return silent_; }
  std::size_t size() const { return entries_.size(); }
  /// How many queue entries all sweeps together have looked at.
  std::uint64_t steps() const { return steps_; }

 private:
  struct Entry {
    TimePoint heard{};
    Duration forgiven_before{};  // what late sweeps had forgiven in all when it was heard
    Duration told = 1s;          // the interval by which it is judged
    Duration told_next = 1s;     // the one that it was told last
    bool expected = false;       // not heard since the start
    bool queued = false;
    TimePoint due{};  // its moment in the queue
    model::NodeStatus status;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  /// When it was heard, moved on by what late sweeps have forgiven since.
  TimePoint heard_at(const Entry& entry) const { return entry.heard + (forgiven_ - entry.forgiven_before); }
  Duration silent_after(const Entry& entry) const { return std::max(lease_of(entry.told), kTolerance); }
  static Duration doubtful_after(const Entry& entry) { return 5 * entry.told / 2; }  // two missed, the third half late
  model::NodeStatus judge(const Entry& entry, TimePoint now) const;
  void queue(Entries::value_type& entry, TimePoint due);
  void unqueue(Entries::value_type& entry);
  /// Puts it where its status can change next, if it can without being heard.
  void queue_next(Entries::value_type& entry, TimePoint now);

  TimePoint started_;
  TimePoint swept_;
  Duration lag_{};
  Duration forgiven_{};  // by all late sweeps together
  double stretch_ = 1;
  Entries entries_;
  std::set<std::pair<TimePoint, Entries::value_type*>> queue_;
  std::size_t silent_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace meshdns::federation
