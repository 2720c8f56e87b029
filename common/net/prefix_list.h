#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "common/net/prefix.h"

namespace meshdns {

/// A few prefixes that many addresses are held against: a compare or two each, in the order given.
class PrefixList {
 public:
  PrefixList() = default;
  explicit PrefixList(std::span<const Prefix> prefixes);

  bool empty() const noexcept { return v4_.empty() && v6_.empty(); }
  bool contains(const IpAddress& address) const noexcept;

 private:
  struct EntryV4 {
    std::uint32_t mask, net;
  };
  struct EntryV6 {
    std::array<std::uint64_t, 2> mask, net;
  };

  std::vector<EntryV4> v4_;
  std::vector<EntryV6> v6_;
};

}  // namespace meshdns
