#pragma once

#include <optional>
#include <vector>

#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::resolve {

/// The addresses of a name.
struct Answer {
  std::vector<IpAddress> addresses;  // at least one; sorted, without duplicates
  Duration ttl{};                    // the smallest TTL of the addresses and of the aliases that lead to them
  std::optional<Family> unanswered;  // the query for this family failed, so the name may have addresses of it

  friend bool operator==(const Answer&, const Answer&) = default;
};

}  // namespace meshdns::resolve
