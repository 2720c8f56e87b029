#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dnsd/answers/answer_table.h"
#include "dnsd/query/instance_name.h"
#include "dnsd/query/random.h"
#include "dnsd/query/spread.h"

// How it works. Where every row is answered, only the order is drawn, with random numbers of the worker. Where some
// rows have to be left out, a client must get the same rows until its TTL ends: from every server, for A and for AAAA,
// and whatever happens to the other rows. So each row has a key, which is a hash of the client's lot and of the row's
// own addresses, and the rows with the least keys are chosen (rendezvous hashing):
//
//   row    10.0.0.1   10.0.0.2   10.0.0.3   10.0.0.4          limit 2
//   key       7          2          9          4       ->  10.0.0.2 and 10.0.0.4
//
// When 10.0.0.2 fails, 10.0.0.1 takes its place and 10.0.0.4 stays. With unequal weights the key is -log(u) / weight,
// where u is the hash as a number in (0, 1]: the least of these keys are a draw by weight without replacement
// (Efraimidis and Spirakis 2006). Rows that share an address count as one address; its key is the least of theirs,
// which gives the address the sum of their weights.

namespace meshdns::query {

/// The longest TTL of records that follow from endpoints, in seconds (docs/design.md section 4).
inline constexpr std::uint32_t kMostDynamicTtl = 300;

/// Chosen rows of endpoints, in the order in which they are answered.
struct ChosenRows {
  static constexpr std::size_t kMost = 256;
  std::array<std::uint16_t, kMost> rows;
  std::size_t count = 0;
  bool cut = false;  // more rows passed the filter than were chosen

  std::span<const std::uint16_t> view() const noexcept { return std::span(rows).first(count); }
};

/// The properties that a row must have to be chosen; all that are set must hold.
struct RowFilter {
  const answers::Host& host;
  std::optional<std::size_t> port = {};  // has this port, an index of Host::ports()
  bool any_port = false;                 // has a port with a name
  bool v4 = false;                       // has an IPv4 address
  bool v6 = false;                       // has an IPv6 address
  bool named = false;                    // its instance name is not longer than a name can be

  bool operator()(std::uint16_t row) const noexcept {
    const answers::EndpointTraits& endpoint = host.traits(row);
    return (!v4 || endpoint.has_v4) && (!v6 || endpoint.has_v6) && (!port || host.port_number(*port, row) != 0) &&
           (!any_port || has_named_port(row)) && (!named || InstanceName(host, row).length != 0);
  }

 private:
  bool has_named_port(std::uint16_t row) const noexcept;
};

/// The rule by which rows are drawn.
struct Draw {
  bool equal_weights = false;  // of the candidates: the caller knows that their shares are equal
  std::size_t limit = 0;       // at most ChosenRows::kMost
  bool warm = false;           // endpoints in slow start get their full weight
  bool by_address = false;     // rows with the same address of the filter's family count once
  LotSeat seat{};              // the client that draws, for when not every row can be answered
};

/// Chooses at most `rule.limit` of the candidates, each at most once, in random order: any order is as likely where
/// weights are equal, otherwise rows are drawn by weight without replacement. If there are more candidates than the
/// limit, the lot of the seat decides which are chosen.
void choose(const answers::RowIndexes& candidates, const RowFilter& filter, const Draw& rule, Random& random,
            ChosenRows& out) noexcept;

/// Draws an order of the rows in `from`, and keeps the first `rule.limit` of them.
void draw(const answers::Host& host, const Draw& rule, Random& random, ChosenRows& from) noexcept;

/// Returns the key of a row; the rows with the least keys are answered. The last 16 bits are the row's number.
/// equal_weights: all compared rows have equal weights, which is faster
std::uint64_t row_key(const answers::Host& host, std::uint16_t row, std::uint64_t lot, bool equal_weights,
                      bool warm) noexcept;
/// Returns the row that has a key.
inline std::uint16_t row_of_key(std::uint64_t key) noexcept { return static_cast<std::uint16_t>(key); }

/// Returns whether two rows have the same address of one family.
/// requires: both have an address of this family
inline bool share_address(const answers::Host& host, std::uint16_t a, std::uint16_t b, bool v4) noexcept {
  return v4 ? host.rows()[a].v4 == host.rows()[b].v4 : host.v6(a) == host.v6(b);
}

/// Keeps the least of the keys that are added, at most `limit`. They are a heap with the greatest kept key on top.
template <std::size_t kMost>
class LeastKeys {
 public:
  /// limit: at most kMost
  explicit LeastKeys(std::size_t limit) noexcept : limit_(limit) {}

  /// Adds a key.
  void add(std::uint64_t key) noexcept {
    if (count_ < limit_) {
      keys_[count_++] = key;
      std::push_heap(keys_.begin(), end());
      return;
    }
    cut_ = true;
    if (limit_ == 0 || key >= keys_.front()) return;
    std::pop_heap(keys_.begin(), end());
    keys_[count_ - 1] = key;
    std::push_heap(keys_.begin(), end());
  }
  /// Adds a key, unless the key of the same address is kept and less. A greater key of the same address is replaced.
  /// is_same: returns whether two keys are those of one address
  template <class IsSame>
  void add_once(std::uint64_t key, const IsSame& is_same) noexcept {
    if (count_ == limit_ && (limit_ == 0 || key >= keys_.front())) {
      cut_ = cut_ || std::none_of(keys_.begin(), end(), [&](std::uint64_t other) { return is_same(other, key); });
      return;
    }
    const auto same = std::find_if(keys_.begin(), end(), [&](std::uint64_t other) { return is_same(other, key); });
    if (same == end()) return add(key);
    if (key >= *same) return;
    *same = key;
    std::make_heap(keys_.begin(), end());
  }
  /// Returns the keys, the least first.
  /// requires: no key is added afterwards
  std::span<const std::uint64_t> sorted() noexcept {
    std::sort(keys_.begin(), end());
    return std::span(keys_).first(count_);
  }
  /// Returns whether some key was left out.
  bool cut() const noexcept { return cut_; }

 private:
  typename std::array<std::uint64_t, kMost>::iterator end() noexcept {
    return keys_.begin() + static_cast<std::ptrdiff_t>(count_);
  }

  std::array<std::uint64_t, kMost> keys_;
  std::size_t limit_;
  std::size_t count_ = 0;
  bool cut_ = false;
};

/// Keeps the rows with the least keys under a rule. Filter, rule and host must outlive this.
class LeastRows {
 public:
  LeastRows(const RowFilter& filter, const Draw& rule) noexcept
      : host_(filter.host), v4_(filter.v4), rule_(rule), lot_(lot_of(filter.host, rule.seat)), least_(rule.limit) {}

  /// Adds a row that has passed the filter.
  void add(std::uint16_t row) noexcept {
    const std::uint64_t key = row_key(host_, row, lot_, rule_.equal_weights, rule_.warm);
    if (!rule_.by_address) return least_.add(key);
    least_.add_once(
        key, [&](std::uint64_t a, std::uint64_t b) { return share_address(host_, row_of_key(a), row_of_key(b), v4_); });
  }
  /// Adds the rows to the choice.
  /// requires: no row is added afterwards
  void take(ChosenRows& out) noexcept {
    for (const std::uint64_t key : least_.sorted()) out.rows[out.count++] = row_of_key(key);
    out.cut = least_.cut();
  }

 private:
  const answers::Host& host_;
  const bool v4_;
  const Draw& rule_;
  const std::uint64_t lot_;
  LeastKeys<ChosenRows::kMost> least_;
};

/// Returns the rows of one tier of a set.
inline answers::RowIndexes tier_rows(const answers::Host& host, const answers::Set& set, std::size_t tier) noexcept {
  const auto tiers = host.tiers(set);
  const std::size_t begin = tier == 0 ? 0 : tiers[tier - 1].end;
  return host.rows_of(set).part(begin, tiers[tier].end);
}

}  // namespace meshdns::query
