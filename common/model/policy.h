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

/// The answer for a host of which no endpoint serves: the last-resort endpoints, or NODATA.
enum class OnEmpty : std::uint8_t { LastResort, NoData };
/// Whether A and AAAA queries get the same tier, or each family chooses its own.
enum class Families : std::uint8_t { Together, Independent };

/// The limits inside which endpoints may be answered; endpoints outside of it never are. Every condition that is given
/// must hold. A place that lacks a part of a condition is outside.
struct Fence {
  std::optional<Part> within;  // this part must be equal to the client's own
  std::vector<std::string> regions;
  std::vector<std::string> zones;
  std::vector<std::string> clusters;

  /// Returns the parts of the client's locality that the fence depends on: `within` and the parts that it implies; bit
  /// i = Part i.
  std::uint8_t client_parts() const;
  /// Whether the client's locality lacks a part that the fence depends on: then nothing is inside.
  bool is_unknown(const Locality& client) const;
  /// Whether `place` is inside the fence for this client.
  bool admits(const Locality& client, const Locality& place) const;

  friend bool operator==(const Fence&, const Fence&) = default;
};

/// The order of places that clients in `from` fail over to, after their own place: their region, zone or cluster,
/// whichever `from` names.
struct Failover {
  Locality from;  // the parts that are given must be equal; none given = every client
  std::vector<Locality> to;

  friend bool operator==(const Failover&, const Failover&) = default;
};

/// Splits the clients in `from` over places by percentages.
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

/// Lets a tier hand load to the next tier gradually, as its endpoints fail.
struct Spill {
  std::uint32_t overprovisioning = 140;  // percent: at 140, a tier keeps all its load until 28.6 % of it has failed
  std::uint32_t panic_below = 0;         // percent that serve, below which last-resort endpoints join; 0 = never

  friend bool operator==(const Spill&, const Spill&) = default;
};

/// The rules by which a host chooses endpoints for a client. The defaults are the policy of a host without an object.
struct Policy {
  Ladder ladder = default_ladder();
  std::optional<Fence> fence;
  std::vector<Failover> failover;       // at most one of failover,
  std::vector<Labels> priority_groups;  // priority_groups
  std::vector<Distribute> distribute;   // and distribute is given
  std::optional<Spill> spill;
  Families families = Families::Together;
  OnEmpty on_empty = OnEmpty::LastResort;
  Duration ttl = 5s;
  Duration ttl_min = 1s;
  Duration slow_start = 30s;  // 0 = off
  // The most addresses in an answer, and the most instances of each tier in SRV, SVCB and HTTPS. Not given:
  // kMostAddresses addresses, and every instance.
  std::optional<std::uint32_t> max_answers;

  static constexpr std::uint32_t kMostAddresses = 8;
  std::uint32_t most_addresses() const { return max_answers.value_or(kMostAddresses); }

  friend bool operator==(const Policy&, const Policy&) = default;
};

/// Whether every part that the selector has is equal in the place.
bool covers(const Locality& selector, const Locality& place);

/// Returns the selector for people: "region=us,zone=us-a", or "everywhere" if it has no part.
std::string selector_text(const Locality& selector);

/// Returns the rule for a client: of the rules whose `from` covers the client, the rule with the most parts; among
/// equals the rule with the narrowest part (cluster before zone before region), then the first.
/// returns: null = no rule covers the client
const Failover* rule_for(const std::vector<Failover>& rules, const Locality& client);
const Distribute* rule_for(const std::vector<Distribute>& rules, const Locality& client);

}  // namespace meshdns::model
