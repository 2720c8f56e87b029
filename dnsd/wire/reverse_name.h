#pragma once

#include <cstddef>
#include <optional>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "dnsd/wire/name.h"

namespace meshdns::wire {

/// A name at or below in-addr.arpa or ip6.arpa, read from the right as far as its labels are those of an address.
struct ReverseName {
  IpAddress address;       // zero behind what was read
  std::size_t labels = 0;  // of the address: octets or nibbles
  std::size_t unread = 0;  // labels to their left that are none of an address
  std::size_t step = 8;    // bits of a label

  /// The addresses below the name that has the first `count` labels of this one, from the right; count <= labels
  Prefix prefix(std::size_t count) const { return Prefix::of(address, static_cast<int>(count * step)); }
  /// The whole name is an address.
  bool complete() const { return unread == 0 && labels * step == static_cast<std::size_t>(address.bits()); }
};

/// Nothing = the name is in neither. Labels as the standard writes them: no zero before a number.
/// source: RFC 1035 3.5, RFC 3596 2.5
std::optional<ReverseName> read_reverse_name(const FoldedName& name) noexcept;

}  // namespace meshdns::wire
