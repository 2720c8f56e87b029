#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/locality.h"
#include "common/time/time.h"

namespace meshdns::federation {

/// How much may go on silence within Brakes::kSweepWindow.
class SweepBudget {
 public:
  /// Takes a node's endpoints out of the budget; false = there is not enough left. registry: all endpoints
  bool take(std::size_t endpoints, std::size_t registry, TimePoint now);

 private:
  struct Spent {
    TimePoint at;
    std::size_t endpoints;
  };
  std::deque<Spent> spent_;  // one per node
  std::size_t sum_ = 0;      // of their endpoints
};

/// Who may be demoted or deleted because nothing is heard of it, and what holds the others back: many at once are
/// more likely cut off from us than dead. Owners' withdrawals and operators' orders do not come here. Pure.
///
/// zone:    more than kZonePercent of a zone's agents fell silent within kWindow: nobody of the zone goes
/// overall: kOverallPercent of all agents are not heard: nobody goes
/// sweep:   kSweepPercent of all endpoints, or two nodes, go per kSweepWindow; the others wait
///
/// Fewer than kFewest agents never close a brake: a small mesh goes by each node's own silence. An agent counts as
/// unheard as soon as a heartbeat is overdue, so that the first one whose lease runs out meets a brake that knows of
/// the others. Those that were demoted count until they have been silent for kWindow; after that nobody expects them.
/// A brake is closed while it holds somebody. It opens when nobody waits any more, or when its share has been kSlack
/// percent lower, or fewer than kFewest are unheard, for kSettle: those that come back do so one after the other.
/// source: docs/design.md section 5, "Brakes"
class Brakes {
 public:
  static constexpr std::size_t kFewest = 3;
  static constexpr std::size_t kZonePercent = 55;
  static constexpr std::size_t kOverallPercent = 85;
  static constexpr std::size_t kSlack = 10;
  static constexpr std::size_t kSweepPercent = 15;
  static constexpr Duration kWindow = 60s;
  static constexpr Duration kSettle = 60s;  // as long as agents get to find a federation that was started
  static constexpr Duration kSweepWindow = 10s;

  /// An agent with an overdue heartbeat.
  struct Unheard {
    std::string node;
    std::string zone;      // zone_text()
    TimePoint since{};     // it was last heard
    bool silent = false;   // its lease ran out
    bool demoted = false;  // and that has had its effect
  };
  /// What is heard of all agents at one moment.
  struct Hearing {
    std::map<std::string, std::size_t, NameLess> heard;  // agents by zone
    std::vector<Unheard> unheard;
    std::size_t registry = 0;  // endpoints of all nodes
    std::function<std::size_t(const std::string& node)> endpoints_of;
  };
  struct Verdict {
    std::string node;
    std::string held_by;  // a brake's name; empty = it is demoted

    friend bool operator==(const Verdict&, const Verdict&) = default;
  };
  /// returns: everybody who is silent and not demoted yet
  std::vector<Verdict> judge(const Hearing& hearing, TimePoint now);

  /// A demoted node whose time is over.
  struct Deletion {
    std::string node;
    std::string zone;
    std::size_t endpoints = 0;  // that would go with it
    std::size_t registry = 0;
  };
  /// A round of deletions: what the last one held back is asked for again.
  void begin_deletions();
  /// returns: the brake that holds it; empty = it goes
  std::string judge(const Deletion& deletion, TimePoint now);

  /// A brake that holds something back.
  struct Closed {
    std::string name;      // "zone", "overall", "sweep"
    std::string covers;    // "corp/eu/eu-a", "all agents", "the registry"
    std::string reason;    // "5 of 8 agents of corp/eu/eu-a silent within 60s"
    std::size_t held = 0;  // nodes
  };
  std::vector<Closed> closed() const;

  /// "corp/eu/eu-a": network/region/zone; "cluster eu-1" where there is no zone.
  static std::string zone_text(const model::Locality& place);

  static constexpr const char* kZone = "zone";
  static constexpr const char* kOverall = "overall";
  static constexpr const char* kSweep = "sweep";

 private:
  /// The agents that a brake looks at.
  struct Group {
    std::size_t agents = 0;
    std::vector<TimePoint> unheard;  // since when
    std::size_t waiting = 0;         // silent, not demoted
  };
  struct Latch {
    bool closed = false;
    std::optional<TimePoint> over;  // since when its condition is
    std::string reason;
    std::size_t waiting = 0;
    std::size_t deletions = 0;
  };

  using ZoneGroups = std::map<std::string, Group, NameLess>;  // by zone_text()
  struct Groups {
    Group all;
    ZoneGroups zones;
    std::vector<const Unheard*> waiting;  // in the order in which they go
  };
  static Groups grouped(const Hearing& hearing, TimePoint now);
  /// The brake that holds all of a zone; empty = none
  std::string holder(const std::string& zone) const;
  void look_at_zones(const ZoneGroups& zones, TimePoint now);
  void look_at_all(const Group& all, TimePoint now);
  /// too_many: it has to close; still: it has to stay closed
  static void look(Latch& latch, bool too_many, bool still, TimePoint now);

  std::map<std::string, Latch, NameLess> zones_;  // those that are closed
  Latch overall_;
  SweepBudget budget_;
  std::size_t waiting_for_sweep_ = 0;
  std::size_t deletions_for_sweep_ = 0;
  std::size_t registry_ = 0;  // when somebody had to wait
};

}  // namespace meshdns::federation
