#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/time/time.h"

namespace meshdns::federation {

/// How far a federation may trust what it knows after a start. Until it is settled it takes nothing away because it is
/// absent: agents that it has not heard yet may have it. What it restored is provisional until its owner has told anew.
/// Pure.
/// source: design.md section 5
class Recovery {
 public:
  enum class Store : std::uint8_t {
    Kept,  // settled after a grace of kQuiet
    New,   // nothing was there before: settled, unless a subscriber knows better
    Lost,  // recovering: until kQuiet has passed without a new agent; without any agent, until an operator says so
  };
  /// Of Leases, too: a verdict of silence comes not before the end.
  static constexpr Duration kQuiet = 60s;

  Recovery(Store store, TimePoint now) : store_(store), last_new_(now), settled_(store == Store::New) {}

  /// A node was restored: its records are provisional.
  void restored(const std::string& node) { provisional_.insert(node); }
  /// A node's agent has told all that it has, or that it goes.
  /// returns: the node's records were provisional
  bool synced(const std::string& node, TimePoint now);
  /// A subscriber holds records of this cluster that are not from this start: a new store is a lost one.
  void earlier_records_seen(TimePoint now);
  /// An operator says that nothing more is to be expected.
  void approve();
  /// After each sweep. Ends what is over.
  void look(TimePoint now);

  Store store() const { return store_; }
  bool recovering() const { return store_ == Store::Lost && !settled_; }
  bool settled() const { return settled_; }
  bool is_provisional(const std::string& node) const { return provisional_.contains(node); }
  std::size_t provisional() const { return provisional_.size(); }
  std::size_t agents() const { return synced_.size(); }

 private:
  Store store_;
  TimePoint last_new_;  // when the last new agent came; the start if none
  bool settled_;
  std::set<std::string> provisional_;
  std::set<std::string> synced_;
};

}  // namespace meshdns::federation
