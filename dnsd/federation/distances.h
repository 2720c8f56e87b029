#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/model/records.h"
#include "common/net/ip_address.h"
#include "common/time/time.h"
#include "dnsd/federation/measure_plan.h"

namespace meshdns::federation {

/// Turns the measurements of agents into facts about their clusters: how far other clusters are, and which gateways
/// cannot be reached. Used by Measuring, which publishes them. Pure.
///
/// A distance is the median over the agents, and for each agent the median over its targets. Each target's value is
/// smoothed as TCP smooths round-trip times (RFC 6298 2.3). The published value changes only when it is wrong by more
/// than a fifth and by more than 2 ms, so that the order of clusters does not flap. It is forgotten when nothing was
/// heard for ten minutes. A gateway is down while every agent that reported lately finds it down: after three failures
/// in a row, until two successes.
class Distances {
 public:
  static constexpr Duration kForgetAfter = 10min;
  static constexpr Duration kFresh = 90s;   // older measurements take no part in the median
  static constexpr Duration kLately = 30s;  // older verdicts on gateways do not count
  static constexpr Duration kLeastChange = 2ms;
  static constexpr Duration kLongest = 24h;  // a longer value is no round-trip time
  static constexpr int kFall = 3;
  static constexpr int kRise = 2;

  /// The result of an agent's attempt to connect. A skipped attempt has no result.
  struct Found {
    bool connected = false;
    std::optional<Duration> rtt;  // used where it is above 0 and below kLongest
  };

  /// Takes over a status that was published before this process began, as if it had just been heard.
  void restore(const std::string& cluster, const model::ClusterStatus& status, TimePoint now);
  /// Takes one result.
  /// from: the agent's cluster
  void heard(const std::string& from, const std::string& agent, const MeasuredTarget& target, const Found& found,
             TimePoint now);
  /// Forgets the gateways that are not in `known`.
  void keep_gateways(const std::set<IpAddress>& known);
  /// Returns the statuses to publish now, by the measuring agents' cluster. A cluster with nothing to publish is not in
  /// the map.
  std::map<std::string, model::ClusterStatus> settle(TimePoint now);

 private:
  using MeasuredPath = std::pair<std::string, std::string>;  // agent, target
  struct Smoothed {
    Duration value{};
    TimePoint heard{};
  };
  struct Way {
    std::map<MeasuredPath, Smoothed> measured;
    std::optional<Duration> published;
    TimePoint heard{};  // the last result of any agent, success or not
  };
  struct View {
    bool down = false;
    int contradictions = 0;  // results against `down` in a row
    TimePoint heard{};
  };
  struct Gateway {
    std::map<MeasuredPath, View> views;
    bool down = false;
    TimePoint heard{};
  };

  void heard_gateway(Gateway& gateway, const MeasuredPath& path, bool connected, TimePoint now);
  static std::optional<Duration> median_of(const Way& way, TimePoint now);
  static void settle(Way& way, TimePoint now);
  static void settle(Gateway& gateway, TimePoint now);

  std::map<std::string, std::map<std::string, Way>> ways_;        // from, to
  std::map<std::string, std::map<IpAddress, Gateway>> gateways_;  // from
};

}  // namespace meshdns::federation
