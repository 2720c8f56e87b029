#include "common/net/prefix_set.h"

#include <algorithm>
#include <iterator>

namespace meshdns {

PrefixSet::PrefixSet(std::vector<Prefix> prefixes) {
  std::ranges::sort(prefixes);  // a prefix comes before the prefixes that it contains
  for (const Prefix& prefix : prefixes) {
    if (prefixes_.empty() || !prefixes_.back().contains(prefix)) prefixes_.push_back(prefix);
  }
  prefixes_.shrink_to_fit();
}

bool PrefixSet::contains(const IpAddress& address) const noexcept {
  const auto after = std::ranges::upper_bound(prefixes_, address, {}, &Prefix::address);
  return after != prefixes_.begin() && std::prev(after)->contains(address);
}

}  // namespace meshdns
