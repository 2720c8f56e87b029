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

/// The budget of endpoints that may be demoted or deleted because of silence within Brakes::kSweepWindow.
class SweepBudget {
 public:
  /// Takes a node's endpoints out of the budget.
  /// registry: the number of all endpoints
  /// returns:  false = the budget does not suffice; nothing was taken
  bool take(std::size_t endpoints, std::size_t registry, TimePoint now);

 private:
  struct Spent {
    TimePoint at;
    std::size_t endpoints;
  };
  std::deque<Spent> spent_;  // one entry per node
  std::size_t sum_ = 0;      // endpoints of all entries
};

/// Decides which silent nodes may be demoted or deleted, and holds the others back: many nodes that fall silent at once
/// are more likely cut off from us than dead. Used by Agents, which publishes the verdicts. Withdrawals by owners and
/// orders by operators do not pass through here. Pure.
///
/// zone:    more than kZonePercent of a zone's agents fell silent within kWindow: holds every node of the zone
/// overall: at least kOverallPercent of all agents are unheard: holds every node
/// sweep:   at most kSweepPercent of all endpoints, or two nodes, go per kSweepWindow: holds the others until then
///
/// Fewer than kFewest agents never close a brake: in a small mesh each node's own silence decides. An agent counts as
/// unheard as soon as a heartbeat is overdue, so that the first agent whose lease runs out meets a brake that already
/// knows of the others. Demoted nodes count until they have been silent for kWindow; after that they are expected to be
/// down.
///
///   open --too many unheard--> closed --share kSlack lower for kSettle, or no node waits--> open
///
/// A zone or overall brake stays closed for kSettle because agents come back one after the other.
/// source: docs/design.md section 5, "Brakes"
class Brakes {
 public:
  static constexpr std::size_t kFewest = 3;
  static constexpr std::size_t kZonePercent = 55;
  static constexpr std::size_t kOverallPercent = 85;
  static constexpr std::size_t kSlack = 10;
  static constexpr std::size_t kSweepPercent = 15;
  static constexpr Duration kWindow = 60s;
  static constexpr Duration kSettle = 60s;  // the time that agents get to find a federation after its start
  static constexpr Duration kSweepWindow = 10s;

  /// An agent with an overdue heartbeat.
  struct Unheard {
    std::string node;
    std::string zone;      // zone_text()
    TimePoint since{};     // when it was last heard
    bool silent = false;   // its lease is over
    bool demoted = false;  // its node is demoted already
  };
  /// The state of all agents at one moment.
  struct Hearing {
    std::map<std::string, std::size_t, NameLess> heard;  // number of heard agents by zone
    std::vector<Unheard> unheard;
    std::size_t registry = 0;  // endpoints of all nodes
    std::function<std::size_t(const std::string& node)> endpoints_of;
  };
  struct Verdict {
    std::string node;
    std::string held_by;  // the brake's name; empty = the node is to be demoted

    friend bool operator==(const Verdict&, const Verdict&) = default;
  };
  /// Judges the silent nodes.
  /// returns: a verdict on each node that is silent and not demoted yet
  std::vector<Verdict> judge(const Hearing& hearing, TimePoint now);

  /// A demoted node that would be forgotten now.
  struct Deletion {
    std::string node;
    std::string zone;
    std::size_t endpoints = 0;  // that would be deleted with it
    std::size_t registry = 0;
  };
  /// Begins a round of deletions. Call it before the deletions of one round are judged, because the nodes that the last
  /// round held are judged again.
  void begin_deletions();
  /// Judges one deletion.
  /// returns: the name of the brake that holds the node; empty = the node may be deleted
  std::string judge(const Deletion& deletion, TimePoint now);

  /// A brake that holds nodes.
  struct Closed {
    std::string name;      // "zone", "overall", "sweep"
    std::string covers;    // "corp/eu/eu-a", "all agents", "the registry"
    std::string reason;    // "5 of 8 agents of corp/eu/eu-a silent within 60s"
    std::size_t held = 0;  // nodes
  };
  std::vector<Closed> closed() const;

  /// Returns the text by which a zone is known: network/region/zone, like "corp/eu/eu-a"; "cluster eu-1" without a
  /// zone.
  static std::string zone_text(const model::Locality& place);

  static constexpr const char* kZone = "zone";
  static constexpr const char* kOverall = "overall";
  static constexpr const char* kSweep = "sweep";

 private:
  /// The agents that one brake judges.
  struct Group {
    std::size_t agents = 0;
    std::vector<TimePoint> unheard;  // when each unheard agent was last heard
    std::size_t waiting = 0;         // silent and not demoted yet
  };
  struct Latch {
    bool closed = false;
    std::optional<TimePoint> over;  // since when its condition is over
    std::string reason;
    std::size_t waiting = 0;
    std::size_t deletions = 0;
  };

  using ZoneGroups = std::map<std::string, Group, NameLess>;  // by zone_text()
  struct Groups {
    Group all;
    ZoneGroups zones;
    std::vector<const Unheard*> waiting;  // in the order in which they are demoted
  };
  static Groups grouped(const Hearing& hearing, TimePoint now);
  /// Returns the name of the brake that holds the whole zone; empty = none.
  std::string holder(const std::string& zone) const;
  void look_at_zones(const ZoneGroups& zones, TimePoint now);
  void look_at_all(const Group& all, TimePoint now);
  /// Closes or opens a latch.
  /// too_many: the condition to close
  /// still:    the condition to stay closed
  static void look(Latch& latch, bool too_many, bool still, TimePoint now);

  std::map<std::string, Latch, NameLess> zones_;  // closed brakes only, by zone_text()
  Latch overall_;
  SweepBudget budget_;
  std::size_t waiting_for_sweep_ = 0;
  std::size_t deletions_for_sweep_ = 0;
  std::size_t registry_ = 0;  // all endpoints, when the sweep brake last held a node
};

}  // namespace meshdns::federation
