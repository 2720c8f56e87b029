#include "common/net/prefix_list.h"

namespace meshdns {
namespace {

std::array<std::uint8_t, 16> mask_bytes(int length) {
  std::array<std::uint8_t, 16> out{};
  for (int bit = 0; bit < length; ++bit)
    out[static_cast<std::size_t>(bit / 8)] |= static_cast<std::uint8_t>(0x80 >> bit % 8);
  return out;
}

}  // namespace

PrefixList::PrefixList(std::span<const Prefix> prefixes) : empty_(prefixes.empty()) {
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const Prefix& prefix = prefixes[i];
    const auto mask = mask_bytes(prefix.length());
    const std::uint8_t* net = prefix.address().bytes().data();
    if (prefix.family() == Family::V4) {
      v4_.push_back({loaded<std::uint32_t>(mask.data()), loaded<std::uint32_t>(net), static_cast<std::uint32_t>(i)});
    } else {
      v6_.push_back({loaded<Halves>(mask.data()), loaded<Halves>(net), i});
    }
  }
}

std::size_t PrefixList::find_v6(const Halves& value) const noexcept {
  for (const EntryV6& entry : v6_) {
    if ((value[0] & entry.mask[0]) == entry.net[0] && (value[1] & entry.mask[1]) == entry.net[1]) return entry.position;
  }
  return kNone;
}

}  // namespace meshdns
