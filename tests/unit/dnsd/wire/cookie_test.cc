// The test vectors of RFC 9018 appendix A, and what else makes a cookie good or not.
#include "dnsd/wire/cookie.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/dns/request.h"

namespace meshdns::wire {
namespace {

using test::Bytes;
using test::hex;
using test::operator+;

CookieSecret secret(const char* digits) {
  CookieSecret out;
  std::ranges::copy(hex(digits), out.begin());
  return out;
}

RequestCookie request_of(const Bytes& bytes) {
  RequestCookie out{.size = static_cast<std::uint8_t>(bytes.size()), .bytes = {}};
  std::copy_n(bytes.begin(), std::min(bytes.size(), out.bytes.size()), out.bytes.begin());
  return out;
}

struct Answered {
  CookieState state{};
  Bytes cookie;

  friend bool operator==(const Answered&, const Answered&) = default;
};

Answered answered(const Bytes& request, const char* client, std::uint32_t now, std::vector<CookieSecret> secrets) {
  FullCookie reply;
  const CookieState state = answer_cookie(request_of(request), *IpAddress::parse(client), now, secrets, reply);
  return {state, {reply.begin(), reply.end()}};
}

const CookieSecret kSecret = secret("e5e973e5a6b2a43f48e7dc849e37bfcf");
constexpr std::uint32_t kNow = 1559731985;
constexpr const char* kClient = "198.51.100.100";
const Bytes kFresh = hex("2464c4abcf10c957 010000005cf79f11 1f8130c3eee29480");

// A.1: learning a new server cookie
TEST(Cookie, NewOne) {
  EXPECT_EQ(answered(hex("2464c4abcf10c957"), kClient, kNow, {kSecret}), Answered(CookieState::ClientOnly, kFresh));
}

// A.2: the same client learns a renewed one 40 minutes later
TEST(Cookie, RenewedOne) {
  EXPECT_EQ(answered(kFresh, kClient, 1559734385, {kSecret}),
            Answered(CookieState::Valid, hex("2464c4abcf10c957 010000005cf7a871 d4a564a1442aca77")));
}

// A.3: reserved bytes that are not zero, valid in its time and replaced afterwards
TEST(Cookie, ReservedBytesAreHashedAsTheyStand) {
  const Bytes cookie = hex("fc93fc62807ddb86 01abcdef5cf78f71 a314227b6679ebf5");
  EXPECT_EQ(answered(cookie, "203.0.113.203", 1559727985, {kSecret}), Answered(CookieState::Valid, cookie));
  EXPECT_EQ(answered(cookie, "203.0.113.203", 1559734700, {kSecret}),
            Answered(CookieState::Wrong, hex("fc93fc62807ddb86 010000005cf7a9ac f73a7810aca2381e")));
}

// A.4: IPv6, and a secret that is exchanged
TEST(Cookie, RollOverOfTheSecret) {
  const CookieSecret old = secret("dd3bdf9344b678b185a6f5cb60fca715");
  const CookieSecret next = secret("445536bcd2513298075a5d379663c962");
  const char* client = "2001:db8:220:1:59de:d0f4:8769:82b8";
  const Bytes signed_by_old = hex("22681ab97d52c298 010000005cf7c579 26556bd0934c72f8");
  const Bytes signed_by_next = hex("22681ab97d52c298 010000005cf7c609 a6bb79d16625507a");
  EXPECT_EQ(answered(signed_by_old, client, 0x5cf7c609, {next, old}), Answered(CookieState::Valid, signed_by_next));
  EXPECT_EQ(answered(signed_by_next, client, 0x5cf7c609, {old, next}).state, CookieState::Valid);
  EXPECT_EQ(answered(signed_by_old, client, 0x5cf7c609, {next}), Answered(CookieState::Wrong, signed_by_next));
}

TEST(Cookie, StaysTheSameForHalfAnHour) {
  EXPECT_EQ(answered(kFresh, kClient, kNow + 1800, {kSecret}), Answered(CookieState::Valid, kFresh));
  EXPECT_NE(answered(kFresh, kClient, kNow + 1801, {kSecret}).cookie, kFresh);
}

TEST(Cookie, ItsTimeIsAnHourBackAndFiveMinutesAhead) {
  const auto state = [](std::uint32_t now) { return answered(kFresh, kClient, now, {kSecret}).state; };
  EXPECT_EQ(state(kNow + 3600), CookieState::Valid);
  EXPECT_EQ(state(kNow + 3601), CookieState::Wrong);
  EXPECT_EQ(state(kNow - 300), CookieState::Valid);
  EXPECT_EQ(state(kNow - 301), CookieState::Wrong);
}

// 2^32 seconds after 1970: times compare by RFC 1982
TEST(Cookie, TimeWraps) {
  const Bytes made = answered(hex("2464c4abcf10c957"), kClient, 0xFFFFFFF0, {kSecret}).cookie;
  EXPECT_EQ(answered(made, kClient, 100, {kSecret}), Answered(CookieState::Valid, made));
}

TEST(Cookie, WhatIsNotOursIsWrong) {
  const auto state = [](Bytes cookie, const char* client = kClient) {
    return answered(cookie, client, kNow, {kSecret}).state;
  };
  EXPECT_EQ(state(kFresh), CookieState::Valid);
  EXPECT_EQ(state(kFresh, "198.51.100.101"), CookieState::Wrong);
  EXPECT_EQ(state(kFresh, "::ffff:198.51.100.100"), CookieState::Valid) << "the same address";
  for (std::size_t at = 0; at < kFresh.size(); ++at) {
    Bytes other = kFresh;
    other[at] ^= 1;
    EXPECT_EQ(state(other), CookieState::Wrong) << "byte " << at;
  }
  EXPECT_EQ(state(kFresh + hex("00")), CookieState::Wrong) << "of another length";
  EXPECT_EQ(state(hex("2464c4abcf10c957 0100000000000000")), CookieState::Wrong);
}

// From the reference implementation: key 00 01 .. 0f, message 00 01 .. of each length
TEST(SipHash, ReferenceVectors) {
  SipKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  const std::array<std::uint8_t, 15> message = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  EXPECT_EQ(siphash24(key, {}), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(siphash24(key, std::span(message).first(1)), 0x74f839c593dc67fdU);
  EXPECT_EQ(siphash24(key, std::span(message).first(8)), 0x93f5f5799a932462U);
  EXPECT_EQ(siphash24(key, message), 0xa129ca6149be45e5U);
}

}  // namespace
}  // namespace meshdns::wire
