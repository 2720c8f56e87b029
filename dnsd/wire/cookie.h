#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "common/net/ip_address.h"
#include "dnsd/wire/message.h"
#include "dnsd/wire/siphash.h"

namespace meshdns::wire {

using CookieSecret = SipKey;
/// The content of a COOKIE option in an answer: the client's cookie, then our server cookie.
using FullCookie = std::array<std::uint8_t, kFullCookieSize>;

/// The state of a request's cookie. Valid: the client receives what is sent to its address, so that the address is not
/// forged.
enum class CookieState : std::uint8_t { ClientOnly, Wrong, Valid };

/// Checks a request's cookie and writes the cookie of the answer: the same one if it is fresh and signed with the first
/// secret, otherwise a new one.
/// secrets: the first signs, each verifies; at least one
/// now:     seconds since 1970; wraps like the cookie's own time (RFC 1982)
/// source:  RFC 9018 4; valid for an hour and 5 minutes ahead, renewed after half an hour (4.3)
CookieState answer_cookie(const RequestCookie& request, const IpAddress& client, std::uint32_t now,
                          std::span<const CookieSecret> secrets, FullCookie& reply) noexcept;

}  // namespace meshdns::wire
