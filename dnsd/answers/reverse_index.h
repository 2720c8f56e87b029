#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "dnsd/answers/ref.h"

namespace meshdns::answers {

/// An address and the host that PTR answers for it.
struct ReverseEntry {
  IpAddress address;
  std::uint32_t host = 0;  // number of the host
};

/// A page of neighbouring addresses. Never empty.
struct ReversePage : Shared {
  static constexpr std::size_t kMost = 128;
  std::vector<ReverseEntry> entries;  // by address
};

/// The names of the reverse zones that exist: those of addresses, and the empty names between them and their zones.
/// Pages are in the order of addresses, so that one search tells whether any address lies below a name.
struct ReverseIndex {
  std::vector<Ref<const ReversePage>> pages;  // in the order of addresses

  bool empty() const noexcept { return pages.empty(); }
  /// Returns the first entry at or after an address; null = there is none.
  const ReverseEntry* at_or_behind(const IpAddress& address) const noexcept;
  /// Returns the entry of an address; null = there is none.
  const ReverseEntry* find(const IpAddress& address) const noexcept;
  /// Returns whether some address is inside the prefix, so that the prefix's name exists.
  bool any_in(const Prefix& prefix) const noexcept;
  /// Returns the page that has the address, or would get it.
  /// requires: not empty()
  std::size_t page_of(const IpAddress& address) const noexcept;
};

}  // namespace meshdns::answers
