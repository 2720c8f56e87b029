#pragma once

#include <optional>
#include <vector>

#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::resolve {

/// What a name stands for.
struct Answer {
  std::vector<IpAddress> addresses;  // sorted, each once, at least one
  Duration ttl{};                    // the smallest of all of them, and of the aliases that lead to them
  std::optional<Family> unanswered;  // nothing is known of the addresses of this family: it could not be asked for

  friend bool operator==(const Answer&, const Answer&) = default;
};

}  // namespace meshdns::resolve
