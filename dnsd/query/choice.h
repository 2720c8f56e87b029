#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dnsd/answers/answer_table.h"
#include "dnsd/query/instance_name.h"
#include "dnsd/query/random.h"

namespace meshdns::query {

/// TTLs of what follows from endpoints are never longer, in seconds (design.md section 4).
inline constexpr std::uint32_t kMostDynamicTtl = 300;

/// A random choice of endpoint rows, in random order.
struct Choice {
  static constexpr std::size_t kMost = 256;
  std::array<std::uint16_t, kMost> rows;
  std::size_t count = 0;

  std::span<const std::uint16_t> view() const noexcept { return std::span(rows).first(count); }
};

/// What a row must have to be chosen.
struct RowFilter {
  const answers::Host& host;
  std::optional<std::size_t> port = {};  // this port (index of Host::ports()), and
  bool v4 = false;                       // an IPv4 address, and
  bool v6 = false;                       // an IPv6 address
  bool named = false;                    // an instance name that is no longer than a name can be

  bool operator()(std::uint16_t row) const noexcept {
    const answers::EndpointTraits& endpoint = host.traits(row);
    return (!v4 || endpoint.has_v4) && (!v6 || endpoint.has_v6) && (!port || host.port_number(*port, row) != 0) &&
           (!named || InstanceName(host, row).length != 0);
  }
};

/// How rows are drawn.
struct Draw {
  bool equal_weights = false;
  std::size_t limit = 0;  // at most Choice::kMost
  bool warm = false;      // nobody counts less for being new
};

/// Chooses at most `rule.limit` of `candidates`, each at most once: all subsets and orders alike
/// where weights are equal, else drawn by weight without replacement. Of more than Choice::kMost fitting candidates
/// the choice is made among as many of them in a row, from a random one on: the compiler has shuffled them.
void choose(const answers::RowIndexes& candidates, const RowFilter& filter, const Draw& rule, Random& random,
            Choice& out) noexcept;

/// Draws among the rows that stand in `from`, and leaves the chosen ones.
void draw(const answers::Host& host, const Draw& rule, Random& random, Choice& from) noexcept;

/// The rows of one tier of a set.
inline answers::RowIndexes tier_rows(const answers::Host& host, const answers::Set& set, std::size_t tier) noexcept {
  const auto tiers = host.tiers(set);
  const std::size_t begin = tier == 0 ? 0 : tiers[tier - 1].end;
  return host.rows_of(set).part(begin, tiers[tier].end);
}

}  // namespace meshdns::query
