#pragma once

// How it works
//
// After a start a federation does not know what became of its agents and records meanwhile. Until it is *settled*, it
// sends only additive sets, so that no replica removes a record that the federation merely does not know. The restored
// records of a node are *provisional* until its agent has sent them or confirmed them by its digest. The state of the
// store decides how long that lasts:
//
//   New  --------------------------------------------------------------------------> settled
//     \  a replica holds other records of this cluster
//      `-> Lost (claimed)    ends 60 s after the last new agent, or 10 min after the claim
//   Lost, seeded by a snapshot with nodes, or not seeded
//                            waits for the first agent, for any time; then ends 60 s after the last new agent, or
//                            10 min after the first one. approve() ends it, too
//   Lost, seeded by a snapshot without nodes
//                            ends after 60 s without a new agent: there may be none
//   Kept                     ends 60 s after the start
//
// A lost store is *recovering* until it is settled: no agent is judged silent and nothing is forgotten. That has a
// price, so peers cannot prolong it at will: new agents postpone the end by at most kLongest, and a recovery that
// rests on a replica's claim alone ends then even without any agent.
//
// Deliberately not done: the expected agents are not counted. A node that was scaled away while the federation was
// down would otherwise keep the recovery open for ever.

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/time/time.h"

namespace meshdns::federation {

/// Decides how far a federation may trust its records after a start: whether it is settled, whether it recovers a lost
/// store, and which nodes are provisional. Used by Feed and by the federation's timers in dnsd/app. Does not hold
/// records. Pure: `now` comes from outside.
/// source: docs/design.md section 5, docs/adr/0009 and 0036
class Recovery {
 public:
  enum class Store : std::uint8_t {
    Kept,  // the store was read: settled after kQuiet
    New,   // no store was ever there: settled, unless a replica holds earlier records
    Lost,  // the store is gone, damaged or short of transactions: recovering
  };
  /// The circumstances of a lost store.
  struct Loss {
    bool claimed = false;  // only a replica's position says that the store was lost
    bool seeded = false;   // records were restored from a snapshot instead
  };
  /// The time without a new agent after which a recovery ends. Leases::kGrace is as long, so that a kept store is
  /// settled by the time the first agent can be judged silent.
  static constexpr Duration kQuiet = 60s;
  /// The longest recovery, once an agent has come.
  static constexpr Duration kLongest = 10min;

  Recovery(Store store, TimePoint now) : Recovery(store, now, Loss{}) {}
  Recovery(Store store, TimePoint now, Loss loss)
      : store_(store), loss_(loss), began_(now), last_new_(now), settled_(store == Store::New) {}

  /// Notes that a node was restored from the store or a snapshot: its records are provisional.
  void restored(const std::string& node) {
    provisional_.insert(node);
    expects_agents_ = true;
  }
  /// Notes that a node's agent has reported all its records, or that it leaves.
  /// returns: whether the node's records were provisional
  bool synced(const std::string& node, TimePoint now);
  /// Notes that a replica holds records of this cluster from before this start. A new store then counts as lost, if the
  /// process is younger than kLongest and an agent has come, or the process has started, within kQuiet.
  void earlier_records_seen(TimePoint now);
  /// Ends the recovery at once: an operator says that nothing more is to be expected.
  void approve();
  /// Ends the recovery if its time is over. Called before each sweep.
  void look(TimePoint now);

  Store store() const { return store_; }
  /// Returns whether only a replica's position says that the store was lost.
  bool claimed() const { return loss_.claimed; }
  bool recovering() const { return store_ == Store::Lost && !settled_; }
  bool settled() const { return settled_; }
  bool is_provisional(const std::string& node) const { return provisional_.contains(node); }
  std::size_t provisional() const { return provisional_.size(); }
  std::size_t agents() const { return synced_.size(); }

 private:
  /// Returns whether the recovery waits for its first agent, and time without a new agent does not end it.
  bool waits_for_first(TimePoint now) const;

  Store store_;
  Loss loss_;
  TimePoint began_;     // kLongest counts from here: the start, a replica's claim, or the first agent of a lost store
  TimePoint last_new_;  // when the last new agent came; at first the start
  bool settled_;
  bool expects_agents_ = false;  // some nodes were restored
  std::set<std::string> provisional_;
  std::set<std::string> synced_;
};

}  // namespace meshdns::federation
