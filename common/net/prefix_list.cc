#include "common/net/prefix_list.h"

#include <algorithm>
#include <cstring>

namespace meshdns {
namespace {

/// Both sides of a compare are loaded alike, so that the machine's byte order does not matter.
template <class T>
T loaded(const std::uint8_t* bytes) noexcept {
  T out;
  std::memcpy(&out, bytes, sizeof out);
  return out;
}

std::array<std::uint8_t, 16> mask_bytes(int length) {
  std::array<std::uint8_t, 16> out{};
  for (int bit = 0; bit < length; ++bit)
    out[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  return out;
}

}  // namespace

PrefixList::PrefixList(std::span<const Prefix> prefixes) {
  for (const Prefix& prefix : prefixes) {
    const auto mask = mask_bytes(prefix.length());
    const std::uint8_t* net = prefix.address().bytes().data();
    if (prefix.family() == Family::V4) {
      v4_.push_back({loaded<std::uint32_t>(mask.data()), loaded<std::uint32_t>(net)});
    } else {
      using Halves = std::array<std::uint64_t, 2>;
      v6_.push_back({loaded<Halves>(mask.data()), loaded<Halves>(net)});
    }
  }
}

bool PrefixList::contains(const IpAddress& address) const noexcept {
  const std::uint8_t* bytes = address.bytes().data();
  if (address.is_v4()) {
    const auto value = loaded<std::uint32_t>(bytes);
    return std::ranges::any_of(v4_, [value](const EntryV4& entry) { return (value & entry.mask) == entry.net; });
  }
  const auto value = loaded<std::array<std::uint64_t, 2>>(bytes);
  return std::ranges::any_of(v6_, [&value](const EntryV6& entry) {
    return (value[0] & entry.mask[0]) == entry.net[0] && (value[1] & entry.mask[1]) == entry.net[1];
  });
}

}  // namespace meshdns
