#pragma once

#include <cstdint>
#include <string>

namespace meshdns::authority {

inline constexpr std::int64_t kNow = 1795806000;  // 2026-11-27T19:00:00Z
inline constexpr std::int64_t kDay = 86400;

/// What the end that shows a certificate is in a connection.
enum class End { Client, Server };

/// Returns why OpenSSL, in its strict mode, does not verify a certificate at a time; "ok" = it does.
/// trusted: the certificates of the authorities that are trusted
std::string verified(const std::string& certificate, const std::string& trusted, std::int64_t unix_seconds = kNow,
                     End end = End::Client);

}  // namespace meshdns::authority
