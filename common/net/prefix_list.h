#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "common/net/prefix.h"

namespace meshdns {

/// A short list of prefixes, for checking many addresses against it: a lookup compares with each prefix in the given
/// order, in one or two machine words. PrefixSet is for many prefixes.
class PrefixList {
 public:
  PrefixList() = default;
  explicit PrefixList(std::span<const Prefix> prefixes);

  bool empty() const noexcept { return empty_; }
  bool contains(const IpAddress& address) const noexcept { return find(address) != kNone; }
  /// Returns the position in the list of the first prefix that contains the address; kNone = no prefix does.
  std::size_t find(const IpAddress& address) const noexcept {
    const std::uint8_t* bytes = address.bytes().data();
    if (!address.is_v4()) return find_v6(loaded<Halves>(bytes));
    const auto value = loaded<std::uint32_t>(bytes);
    for (const EntryV4& entry : v4_) {
      if ((value & entry.mask) == entry.net) return entry.position;
    }
    return kNone;
  }
  static constexpr std::size_t kNone = SIZE_MAX;

 private:
  using Halves = std::array<std::uint64_t, 2>;
  struct EntryV4 {
    std::uint32_t mask, net, position;
  };
  struct EntryV6 {
    Halves mask, net;
    std::size_t position;
  };

  /// Loads bytes as a machine word. Both sides of a comparison are loaded this way, so the byte order does not matter.
  template <class T>
  static T loaded(const std::uint8_t* bytes) noexcept {
    T out;
    std::memcpy(&out, bytes, sizeof out);
    return out;
  }
  std::size_t find_v6(const Halves& value) const noexcept;

  bool empty_ = true;

  std::vector<EntryV4> v4_;
  std::vector<EntryV6> v6_;
};

}  // namespace meshdns
