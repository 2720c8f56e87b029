#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/net/prefix_list.h"
#include "dnsd/wire/cookie.h"

namespace meshdns::query {

/// How many UDP answers a client's prefix (/24, /56) gets. Never limited: valid cookies, TCP, and who is exempt.
struct RateLimit {
  std::uint32_t per_second = 0;  // 0 = no limit
  std::uint32_t burst = 125;     // at once, after a silence; at least 1
  std::uint32_t slip = 1;        // of the limited ones each so many-th is answered with TC=1, the others not at all
  PrefixList exempt;

  bool applies_to(const IpAddress& client) const noexcept { return per_second != 0 && !exempt.contains(client); }
};

/// Who is answered, and what besides the table's records. Immutable once it is published.
struct Policy {
  std::string nsid;                         // empty = the option is not answered
  std::vector<wire::CookieSecret> cookies;  // the first signs, all verify; empty = the option is not answered
  PrefixList allow;                         // empty = everyone
  PrefixList forwarders;                    // trusted: many clients behind one address
  RateLimit rate_limit;

  bool allows(const IpAddress& client) const noexcept { return allow.empty() || allow.contains(client); }
};

inline constexpr std::size_t kMostNsid = 64;  // bytes: an answer that has to stay small keeps room for it

/// Answers everyone as often as they like.
inline const Policy kOpenPolicy;

}  // namespace meshdns::query
