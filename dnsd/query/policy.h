#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/net/prefix_list.h"
#include "dnsd/wire/cookie.h"

namespace meshdns::query {

/// The limit of UDP answers for each prefix of clients (/24, /56). Valid cookies, TCP and exempt prefixes are not
/// limited.
struct RateLimit {
  std::uint32_t per_second = 0;  // 0 = no limit
  std::uint32_t burst = 125;     // answers at once after a pause; at least 1
  std::uint32_t slip = 1;        // each slip-th limited query gets TC=1, the others no answer; 0 = none gets any
  PrefixList exempt;

  bool applies_to(const IpAddress& client) const noexcept { return per_second != 0 && !exempt.contains(client); }
};

/// The settings of answers that do not come from the records: who is answered, how often, with which options. Immutable
/// once it is published.
struct Policy {
  std::string nsid;                         // empty = the option is not answered
  std::vector<wire::CookieSecret> cookies;  // the first one signs, all verify; empty = the option is not answered
  PrefixList allow;                         // empty = everyone
  PrefixList forwarders;                    // trusted forwarders: each address stands for many clients
  RateLimit rate_limit;

  bool allows(const IpAddress& client) const noexcept { return allow.empty() || allow.contains(client); }
};

inline constexpr std::size_t kMostNsid = 64;  // bytes: a small answer keeps room for the option

/// The policy that answers every client without a limit.
inline const Policy kOpenPolicy;

}  // namespace meshdns::query
