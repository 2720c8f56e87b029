#include "dnsd/wire/cookie.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "dnsd/wire/byte_order.h"

namespace meshdns::wire {
namespace {

// client cookie (8), version (1), reserved (3), time (4), hash (8)
constexpr std::size_t kTimeAt = kClientCookieSize + 4;
constexpr std::size_t kHashAt = kTimeAt + 4;
constexpr std::uint8_t kVersion = 1;
constexpr std::int32_t kAhead = 5 * 60;
constexpr std::int32_t kLifetime = 60 * 60;
constexpr std::int32_t kRenewAfter = 30 * 60;

/// Returns the hash of everything before it in the cookie and of the client's address, in wire form.
std::array<std::uint8_t, 8> hash_of(const FullCookie& cookie, const IpAddress& client,
                                    const CookieSecret& secret) noexcept {
  std::array<std::uint8_t, kHashAt + 16> data;
  const auto address = client.bytes();
  std::memcpy(data.data(), cookie.data(), kHashAt);
  std::memcpy(data.data() + kHashAt, address.data(), address.size());
  const std::uint64_t hash = siphash24(secret, std::span(data).first(kHashAt + address.size()));
  std::array<std::uint8_t, 8> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  return out;
}

/// Compares the hash in a time that does not depend on where it differs, so that nobody can guess it byte by byte.
bool has_hash(const FullCookie& cookie, const std::array<std::uint8_t, 8>& hash) noexcept {
  std::uint8_t difference = 0;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    difference = static_cast<std::uint8_t>(difference | (cookie[kHashAt + i] ^ hash[i]));
  }
  return difference == 0;
}

/// Returns the index of the secret that signed the cookie; nothing = none of ours, or the cookie has expired.
std::optional<std::size_t> signer_of(const FullCookie& cookie, const IpAddress& client, std::int32_t age,
                                     std::span<const CookieSecret> secrets) noexcept {
  if (cookie[kClientCookieSize] != kVersion || age < -kAhead || age > kLifetime) return std::nullopt;
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    if (has_hash(cookie, hash_of(cookie, client, secrets[i]))) return i;
  }
  return std::nullopt;
}

void sign(FullCookie& cookie, const IpAddress& client, std::uint32_t now, const CookieSecret& secret) noexcept {
  std::fill(cookie.begin() + kClientCookieSize, cookie.end(), std::uint8_t{0});
  cookie[kClientCookieSize] = kVersion;
  store32(cookie.data() + kTimeAt, now);
  std::ranges::copy(hash_of(cookie, client, secret), cookie.begin() + kHashAt);
}

}  // namespace

CookieState answer_cookie(const RequestCookie& request, const IpAddress& client, std::uint32_t now,
                          std::span<const CookieSecret> secrets, FullCookie& reply) noexcept {
  reply = request.bytes;
  CookieState state = request.size == kClientCookieSize ? CookieState::ClientOnly : CookieState::Wrong;
  if (request.size == kFullCookieSize) {
    const auto age = static_cast<std::int32_t>(now - load32(reply.data() + kTimeAt));
    const auto signer = signer_of(reply, client, age, secrets);
    if (signer) state = CookieState::Valid;
    if (signer == std::size_t{0} && age <= kRenewAfter) return state;
  }
  sign(reply, client, now, secrets.front());
  return state;
}

}  // namespace meshdns::wire
