#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/time/time.h"

namespace meshdns::federation {

/// How far a federation may trust what it knows after a start. Until it is settled it takes nothing away because it is
/// absent: agents that it has not heard yet may have it. What it restored is provisional until its owner has told anew.
///
/// A recovery costs something: nobody is judged silent while it lasts. So peers cannot make one last: new agents put
/// its end off, but not beyond kLongest, and a recovery that rests on nothing but a subscriber's word ends then even
/// without any agent. Pure.
/// source: docs/design.md section 5, "After a start", docs/adr/0009, docs/adr/0036
class Recovery {
 public:
  enum class Store : std::uint8_t {
    Kept,  // settled after a grace of kQuiet
    New,   // nothing was there before: settled, unless a subscriber knows better
    Lost,  // recovering: until kQuiet has passed without a new agent; without any agent, until an operator says so
  };
  /// What is known of a lost store.
  struct Loss {
    bool claimed = false;  // only a subscriber says so
    bool seeded = false;   // a snapshot stands in for it: it names the nodes whose agents may come
  };
  /// Of Leases, too: a verdict of silence comes not before the end.
  static constexpr Duration kQuiet = 60s;
  /// A recovery for which an agent has come ends after so long, whoever else comes.
  static constexpr Duration kLongest = 10min;

  Recovery(Store store, TimePoint now) : Recovery(store, now, Loss{}) {}
  Recovery(Store store, TimePoint now, Loss loss)
      : store_(store), loss_(loss), began_(now), last_new_(now), settled_(store == Store::New) {}

  /// A node was restored: its records are provisional.
  void restored(const std::string& node) {
    provisional_.insert(node);
    expects_agents_ = true;
  }
  /// A node's agent has told all that it has, or that it goes.
  /// returns: the node's records were provisional
  bool synced(const std::string& node, TimePoint now);
  /// A subscriber holds records of this cluster that are not from this start: a new store is a lost one, if it has been
  /// open for less than kLongest and its agents are still coming.
  void earlier_records_seen(TimePoint now);
  /// An operator says that nothing more is to be expected.
  void approve();
  /// After each sweep. Ends what is over.
  void look(TimePoint now);

  Store store() const { return store_; }
  /// Nothing but a subscriber's word says that the store was lost.
  bool claimed() const { return loss_.claimed; }
  bool recovering() const { return store_ == Store::Lost && !settled_; }
  bool settled() const { return settled_; }
  bool is_provisional(const std::string& node) const { return provisional_.contains(node); }
  std::size_t provisional() const { return provisional_.size(); }
  std::size_t agents() const { return synced_.size(); }

 private:
  /// Whether silence is no end: nobody has come, and somebody may be there.
  bool waits_for_first(TimePoint now) const;

  Store store_;
  Loss loss_;
  TimePoint began_;     // the recovery; the start if there is none
  TimePoint last_new_;  // when the last new agent came; the start if none
  bool settled_;
  bool expects_agents_ = false;  // nodes were restored
  std::set<std::string> provisional_;
  std::set<std::string> synced_;
};

}  // namespace meshdns::federation
