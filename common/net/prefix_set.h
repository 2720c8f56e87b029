#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "common/net/prefix.h"

namespace meshdns {

/// A set of addresses, given by prefixes of both families. A lookup is a binary search, so that it costs little however
/// many prefixes there are. PrefixList also knows which of the prefixes contains an address.
///
/// Of two prefixes, one contains the other or they have no address in common. So the set keeps only prefixes that no
/// other one contains, in the order of their addresses, and an address is in the set if the last prefix that begins at
/// or before the address contains it. IPv4 prefixes are kept as ranges of numbers, because DNS asks this for nearly
/// every query: comparing prefixes cost a tenth of a query's instructions.
class PrefixSet {
 public:
  PrefixSet() = default;
  PrefixSet(std::initializer_list<Prefix> prefixes) : PrefixSet(std::vector(prefixes)) {}
  explicit PrefixSet(std::vector<Prefix> prefixes);

  bool contains(const IpAddress& address) const noexcept;
  /// Returns whether one of the set's prefixes contains this one. Prefixes that contain it only together do not count.
  bool contains(const Prefix& prefix) const noexcept;

 private:
  /// An IPv4 prefix as numbers in host order.
  struct Range {
    std::uint32_t first, last;
  };

  static Range range_of(const Prefix& prefix) noexcept;
  bool contains(Range addresses) const noexcept;

  std::vector<Range> v4_;   // sorted; none contains another
  std::vector<Prefix> v6_;  // likewise
};

}  // namespace meshdns
