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

// How it works. Where every row is answered, only the order is drawn, by random numbers of the worker. Where some rows
// have to stay out, a client must get the same ones until its TTL ends, from every server, whether it asks for A or for
// AAAA, and whatever happens to the other rows. So each row has a key, a hash of the client's lot and of the row's own
// addresses, and the rows with the least keys are chosen (rendezvous hashing). Keys are divided by weights as in a
// race: -log(u) / weight makes the order of the keys that of draws by weight without replacement (Efraimidis and
// Spirakis 2006). Rows that share an address are one address; its key is the least of theirs, which gives it the sum of
// their weights.

namespace meshdns::query {

/// TTLs of what follows from endpoints are never longer, in seconds (docs/design.md section 4).
inline constexpr std::uint32_t kMostDynamicTtl = 300;

/// A choice of endpoint rows, in the order in which they are answered.
struct Choice {
  static constexpr std::size_t kMost = 256;
  std::array<std::uint16_t, kMost> rows;
  std::size_t count = 0;
  bool cut = false;  // others would have fitted the filter too

  std::span<const std::uint16_t> view() const noexcept { return std::span(rows).first(count); }
};

/// What a row must have to be chosen.
struct RowFilter {
  const answers::Host& host;
  std::optional<std::size_t> port = {};  // this port (index of Host::ports()), and
  bool any_port = false;                 // some port with a name, and
  bool v4 = false;                       // an IPv4 address, and
  bool v6 = false;                       // an IPv6 address
  bool named = false;                    // an instance name that is no longer than a name can be

  bool operator()(std::uint16_t row) const noexcept {
    const answers::EndpointTraits& endpoint = host.traits(row);
    return (!v4 || endpoint.has_v4) && (!v6 || endpoint.has_v6) && (!port || host.port_number(*port, row) != 0) &&
           (!any_port || has_named_port(row)) && (!named || InstanceName(host, row).length != 0);
  }

 private:
  bool has_named_port(std::uint16_t row) const noexcept;
};

/// How rows are drawn.
struct Draw {
  bool equal_weights = false;
  std::size_t limit = 0;    // at most Choice::kMost
  bool warm = false;        // nobody counts less for being new
  bool by_address = false;  // rows that share an address of the filter's family count once
  LotSeat seat{};           // who draws, where not every row can be answered
};

/// Chooses at most `rule.limit` of `candidates`, each at most once, in random order: all orders alike where weights are
/// equal, else drawn by weight without replacement. Of more than the limit, the seat's lot decides which.
void choose(const answers::RowIndexes& candidates, const RowFilter& filter, const Draw& rule, Random& random,
            Choice& out) noexcept;

/// Draws among the rows that stand in `from`, and leaves the chosen ones.
void draw(const answers::Host& host, const Draw& rule, Random& random, Choice& from) noexcept;

/// A row's place among others: who has the least keys is answered. The last 16 bits are the row's number.
/// equal_weights: among rows of equal weight, for which it is faster
std::uint64_t row_key(const answers::Host& host, std::uint16_t row, std::uint64_t lot, bool equal_weights,
                      bool warm) noexcept;
inline std::uint16_t row_of_key(std::uint64_t key) noexcept { return static_cast<std::uint16_t>(key); }

/// Two rows have the same address of one family. Both have one.
inline bool share_address(const answers::Host& host, std::uint16_t a, std::uint16_t b, bool v4) noexcept {
  return v4 ? host.rows()[a].v4 == host.rows()[b].v4 : host.v6(a) == host.v6(b);
}

/// The least of the keys that are added, at most `limit` of them: a heap whose root is the greatest that is kept.
template <std::size_t kMost>
class LeastKeys {
 public:
  /// limit: at most kMost
  explicit LeastKeys(std::size_t limit) noexcept : limit_(limit) {}

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
  /// The same, except that a key that is_same() says is another one's address takes that one's place, if it is less.
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
  /// Least first. No key may be added afterwards.
  std::span<const std::uint64_t> sorted() noexcept {
    std::sort(keys_.begin(), end());
    return std::span(keys_).first(count_);
  }
  /// Some key was left out.
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

/// The rows with the least keys, as a rule says.
class LeastRows {
 public:
  LeastRows(const RowFilter& filter, const Draw& rule) noexcept
      : host_(filter.host), v4_(filter.v4), rule_(rule), lot_(lot_of(filter.host, rule.seat)), least_(rule.limit) {}

  void add(std::uint16_t row) noexcept {
    const std::uint64_t key = row_key(host_, row, lot_, rule_.equal_weights, rule_.warm);
    if (!rule_.by_address) return least_.add(key);
    least_.add_once(
        key, [&](std::uint64_t a, std::uint64_t b) { return share_address(host_, row_of_key(a), row_of_key(b), v4_); });
  }
  /// Adds the rows to the choice. No row may be added afterwards.
  void take(Choice& out) noexcept {
    for (const std::uint64_t key : least_.sorted()) out.rows[out.count++] = row_of_key(key);
    out.cut = least_.cut();
  }

 private:
  const answers::Host& host_;
  const bool v4_;
  const Draw& rule_;
  const std::uint64_t lot_;
  LeastKeys<Choice::kMost> least_;
};

/// The rows of one tier of a set.
inline answers::RowIndexes tier_rows(const answers::Host& host, const answers::Set& set, std::size_t tier) noexcept {
  const auto tiers = host.tiers(set);
  const std::size_t begin = tier == 0 ? 0 : tiers[tier - 1].end;
  return host.rows_of(set).part(begin, tiers[tier].end);
}

}  // namespace meshdns::query
