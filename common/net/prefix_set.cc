#include "common/net/prefix_set.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace meshdns {

PrefixSet::Range PrefixSet::range_of(const Prefix& prefix) noexcept {
  const std::uint32_t first = prefix.address().v4_host_order();
  const auto addresses = std::uint64_t{1} << (32 - prefix.length());
  return {first, static_cast<std::uint32_t>(first + (addresses - 1))};
}

PrefixSet::PrefixSet(std::vector<Prefix> prefixes) {
  std::ranges::sort(prefixes);  // a prefix comes before the prefixes that it contains
  std::vector<Prefix> v4;
  for (const Prefix& prefix : prefixes) {
    auto& kept = prefix.family() == Family::V4 ? v4 : v6_;
    if (kept.empty() || !kept.back().contains(prefix)) kept.push_back(prefix);
  }
  v6_.shrink_to_fit();
  v4_.reserve(v4.size());
  for (const Prefix& prefix : v4) v4_.push_back(range_of(prefix));
}

bool PrefixSet::contains(const IpAddress& address) const noexcept {
  if (!address.is_v4()) return contains(Prefix::host(address));
  const std::uint32_t value = address.v4_host_order();
  return contains(Range{value, value});
}

bool PrefixSet::contains(const Prefix& prefix) const noexcept {
  if (prefix.family() == Family::V4) return contains(range_of(prefix));
  const auto after = std::ranges::upper_bound(v6_, prefix.address(), {}, &Prefix::address);
  return after != v6_.begin() && std::prev(after)->contains(prefix);
}

bool PrefixSet::contains(Range addresses) const noexcept {
  if (v4_.empty()) return false;
  // a binary search without branches: g++ makes a conditional move of the choice between the halves
  const Range* at = v4_.data();
  for (std::size_t left = v4_.size(); left > 1;) {
    const std::size_t half = left / 2;
    at += at[half].first <= addresses.first ? half : 0;
    left -= half;
  }
  return at->first <= addresses.first && addresses.last <= at->last;
}

}  // namespace meshdns
