#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::federation {

/// Who was heard when. Pure. Silence is not death: a node that is back within kTolerance changes nothing, and after a
/// start of the federation nobody counts as silent for kGrace, because agents need time to find it again.
/// source: design.md section 5 (a silent agent), rpc.md (session rules)
class Leases {
 public:
  static constexpr Duration kTolerance = 10s;
  static constexpr Duration kGrace = 60s;
  static constexpr std::uint32_t kHeartbeatsPerSecond = 2000;  // of all agents together

  explicit Leases(TimePoint started) : started_(started), swept_(started) {}

  void heard(const std::string& node, TimePoint now);
  /// A node that was restored: it is given the time to come back, and until then nothing is said of it.
  void expect(const std::string& node, TimePoint now);
  void forget(const std::string& node) { entries_.erase(node); }
  template <class Gone>
  void forget_if(Gone gone) {
    std::erase_if(entries_, [&](const auto& entry) { return gone(entry.first); });
  }

  /// How often an agent shall be heard: each second, less often where there are more than kHeartbeatsPerSecond.
  Duration heartbeat() const;
  Duration lease() const { return 3 * heartbeat(); }
  /// Between calls of sweep().
  static constexpr Duration sweep_interval() { return 250ms; }

  struct Verdict {
    std::string node;
    model::NodeStatus status;

    friend bool operator==(const Verdict&, const Verdict&) = default;
  };
  /// Nodes whose status changed; whether those that are silent count as such, the brakes say. A sweep that comes late
  /// gives everybody that much more time: what they sent may wait unread.
  std::vector<Verdict> sweep(TimePoint now);

  /// An agent as the brakes see it.
  struct Hearing {
    const std::string& node;
    TimePoint since{};     // it was last heard, less the time that late sweeps forgave
    bool overdue = false;  // a heartbeat is late by half of its interval
    bool silent = false;   // as of the last sweep
  };
  template <class See>
  void each(TimePoint now, See see) const {
    const Duration due = 3 * heartbeat() / 2;
    for (const auto& [node, entry] : entries_) {
      const TimePoint since = entry.heard + entry.forgiven;
      see(Hearing{node, since, now - since >= due, entry.status.silent});
    }
  }
  /// As of the last sweep, of a node that is known.
  const model::NodeStatus& status(const std::string& node) const { return entries_.at(node).status; }

  /// Agents whose lease ran out, whatever a brake makes of it.
  std::size_t silent() const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    TimePoint heard{};
    Duration forgiven{};    // of the time since then: sweeps were late
    bool expected = false;  // not heard since the start
    model::NodeStatus status;
  };
  model::NodeStatus judge(const Entry& entry, TimePoint now) const;

  TimePoint started_;
  TimePoint swept_;
  std::map<std::string, Entry> entries_;
};

}  // namespace meshdns::federation
