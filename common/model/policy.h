#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/model/endpoint.h"
#include "common/model/ladder.h"
#include "common/model/locality.h"
#include "common/time/time.h"

namespace meshdns::model {

enum class OnEmpty : std::uint8_t { LastResort, NoData };
enum class Families : std::uint8_t { Together, Independent };

/// Endpoints outside are never answered. Every condition that is given must hold; a missing part is outside.
struct Fence {
  std::optional<Part> within;  // the client's own network, region, ...
  std::vector<std::string> regions;
  std::vector<std::string> zones;
  std::vector<std::string> clusters;

  /// The client's parts that it depends on, `within` and what that implies; bit i = Part i.
  std::uint8_t client_parts() const;
  /// It is around a part that the client's locality lacks: nothing is inside.
  bool is_unknown(const Locality& client) const;
  bool admits(const Locality& client, const Locality& place) const;

  friend bool operator==(const Fence&, const Fence&) = default;
};

/// Clients in `from` go to these places in this order, beyond what is their own: their region, zone or cluster, as
/// `from` names it.
struct Failover {
  Locality from;  // the parts that are given must be equal; none = everywhere
  std::vector<Locality> to;

  friend bool operator==(const Failover&, const Failover&) = default;
};

/// Clients in `from` are shared out.
struct Distribute {
  struct Share {
    Locality to;
    std::uint32_t percent = 0;

    friend bool operator==(const Share&, const Share&) = default;
  };
  Locality from;
  std::vector<Share> to;  // the percents sum to 100

  friend bool operator==(const Distribute&, const Distribute&) = default;
};

/// A tier gives load away gradually, as its endpoints fail.
struct Spill {
  std::uint32_t overprovisioning = 140;  // percent
  std::uint32_t panic_below = 0;         // percent; 0 = never

  friend bool operator==(const Spill&, const Spill&) = default;
};

/// How a name chooses; defaults are those of a name without an object (docs/config-objects.md, "VirtualDestination").
struct Policy {
  Ladder ladder = default_ladder();
  std::optional<Fence> fence;
  std::vector<Failover> failover;       // at most one of this
  std::vector<Labels> priority_groups;  // and this
  std::vector<Distribute> distribute;   // and this is given
  std::optional<Spill> spill;
  Families families = Families::Together;
  OnEmpty on_empty = OnEmpty::LastResort;
  Duration ttl = 5s;
  Duration ttl_min = 1s;
  Duration slow_start = 30s;  // 0 = off
  // Addresses, and instances of each tier in SRV, SVCB and HTTPS. Not given: kMostAddresses, and every instance.
  std::optional<std::uint32_t> max_answers;

  static constexpr std::uint32_t kMostAddresses = 8;
  std::uint32_t most_addresses() const { return max_answers.value_or(kMostAddresses); }

  friend bool operator==(const Policy&, const Policy&) = default;
};

/// Every part that the selector gives is equal in the place.
bool covers(const Locality& selector, const Locality& place);

/// "region=us,zone=us-a"; "everywhere" if no part is given
std::string selector_text(const Locality& selector);

/// The rule whose `from` covers the client and gives the most parts; among equals the one with the narrower part (a
/// cluster is narrower than a zone, a zone than a region), then the first. null = none does
const Failover* rule_for(const std::vector<Failover>& rules, const Locality& client);
const Distribute* rule_for(const std::vector<Distribute>& rules, const Locality& client);

}  // namespace meshdns::model
