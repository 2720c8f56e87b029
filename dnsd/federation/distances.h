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

/// Makes of what agents measure what is true of their clusters: how far others are, and which gateways cannot be
/// reached. Pure.
///
/// A distance is the median of the agents, each of its targets, each smoothed as TCP smooths round-trip times (RFC 6298
/// 2.3); it changes only when it is wrong by more than a fifth and more than 2 ms, so that no order of clusters flaps,
/// and is forgotten when nothing was heard for ten minutes. A gateway is down while every agent that reported lately
/// has found it so: three failures in a row, until two successes.
class Distances {
 public:
  static constexpr Duration kForgetAfter = 10min;
  static constexpr Duration kFresh = 90s;   // older ones take no part in the median while there are others
  static constexpr Duration kLately = 30s;  // of gateways
  static constexpr Duration kLeastChange = 2ms;
  static constexpr Duration kLongest = 24h;  // what is not below is no round-trip time
  static constexpr int kFall = 3;
  static constexpr int kRise = 2;

  /// Of an agent's attempt to connect; what it skipped is nothing that was found.
  struct Found {
    bool connected = false;
    std::optional<Duration> rtt;  // used where it is above 0 and below kLongest
  };

  /// What was published before this process began counts as if it had just been heard.
  void restore(const std::string& cluster, const model::ClusterStatus& status, TimePoint now);
  /// from: the agent's cluster
  void heard(const std::string& from, const std::string& agent, const MeasuredTarget& target, const Found& found,
             TimePoint now);
  /// Those that are no gateways any more are forgotten.
  void keep_gateways(const std::set<IpAddress>& known);
  /// What is to be published now, by asking cluster; those with nothing to say are not in it.
  std::map<std::string, model::ClusterStatus> settle(TimePoint now);

 private:
  using Seat = std::pair<std::string, std::string>;  // agent, target
  struct Smoothed {
    Duration value{};
    TimePoint heard{};
  };
  struct Way {
    std::map<Seat, Smoothed> measured;
    std::optional<Duration> published;
    TimePoint heard{};  // from anybody, success or not
  };
  struct View {
    bool down = false;
    int contradictions = 0;  // in a row
    TimePoint heard{};
  };
  struct Gateway {
    std::map<Seat, View> views;
    bool down = false;
    TimePoint heard{};
  };

  void heard_gateway(Gateway& gateway, const Seat& seat, bool connected, TimePoint now);
  static std::optional<Duration> median_of(const Way& way, TimePoint now);
  static void settle(Way& way, TimePoint now);
  static void settle(Gateway& gateway, TimePoint now);

  std::map<std::string, std::map<std::string, Way>> ways_;        // from, to
  std::map<std::string, std::map<IpAddress, Gateway>> gateways_;  // from
};

}  // namespace meshdns::federation
