#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "dnsd/answers/ref.h"

namespace meshdns::answers {

/// An address, and the host whose instance it is.
struct ReverseEntry {
  IpAddress address;
  std::uint32_t host = 0;  // its number
};

/// Neighbouring addresses, at least one
struct ReversePage : Shared {
  static constexpr std::size_t kMost = 128;
  std::vector<ReverseEntry> entries;  // by address
};

/// Which names of the reverse zones exist: those of addresses, and what stands between them and their zones.
struct ReverseIndex {
  std::vector<Ref<const ReversePage>> pages;  // by address

  bool empty() const noexcept { return pages.empty(); }
  /// The first entry at or behind an address; null = there is none.
  const ReverseEntry* at_or_behind(const IpAddress& address) const noexcept;
  const ReverseEntry* find(const IpAddress& address) const noexcept;
  /// Some address is inside the prefix: the name of the prefix exists.
  bool any_in(const Prefix& prefix) const noexcept;
  /// The page that has the address, or would get it; pages.size() > 0
  std::size_t page_of(const IpAddress& address) const noexcept;
};

}  // namespace meshdns::answers
