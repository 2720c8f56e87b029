#pragma once

#include <cstddef>
#include <optional>

#include "common/net/ip_address.h"
#include "common/net/prefix.h"
#include "dnsd/wire/name.h"

namespace meshdns::wire {

/// A name at or below in-addr.arpa or ip6.arpa. Its labels are read from the right as long as they belong to an
/// address.
struct ReverseName {
  IpAddress address;       // the bits that were not read are zero
  std::size_t labels = 0;  // labels of the address: octets or nibbles
  std::size_t unread = 0;  // labels to their left that belong to no address
  std::size_t step = 8;    // bits per label

  /// Returns the prefix of all addresses below the name that has only `count` of the address's labels, from the right.
  /// requires: count <= labels
  Prefix prefix(std::size_t count) const { return Prefix::of(address, static_cast<int>(count * step)); }
  /// Returns whether the whole name is an address.
  bool complete() const { return unread == 0 && labels * step == static_cast<std::size_t>(address.bits()); }
};

/// Parses a reverse name. Labels must be as the standard writes them, without leading zeros.
/// returns: nothing = the name is in neither zone
/// source: RFC 1035 3.5, RFC 3596 2.5
std::optional<ReverseName> read_reverse_name(const FoldedName& name) noexcept;

}  // namespace meshdns::wire
