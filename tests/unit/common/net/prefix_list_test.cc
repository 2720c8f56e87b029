#include "common/net/prefix_list.h"

#include <gtest/gtest.h>

#include "common/base/random_seed.h"

namespace meshdns {
namespace {

PrefixList list_of(std::initializer_list<const char*> texts) {
  std::vector<Prefix> prefixes;
  for (const char* text : texts) prefixes.push_back(*Prefix::parse(text));
  return PrefixList(prefixes);
}

bool contains(const PrefixList& list, const char* address) { return list.contains(*IpAddress::parse(address)); }

TEST(PrefixList, BothFamilies) {
  const PrefixList list = list_of({"10.0.0.0/8", "192.0.2.53", "fd00::/8", "2001:db8:0:ff80::/57"});
  for (const char* inside : {"10.0.0.0", "10.255.255.255", "192.0.2.53", "fdff::1", "2001:db8:0:ffff::1"}) {
    EXPECT_TRUE(contains(list, inside)) << inside;
  }
  for (const char* outside : {"9.255.255.255", "11.0.0.0", "192.0.2.52", "fe00::", "2001:db8:0:ff7f::", "a00::"}) {
    EXPECT_FALSE(contains(list, outside)) << outside;
  }
}

TEST(PrefixList, EmptyAndEverything) {
  EXPECT_TRUE(PrefixList{}.empty());
  EXPECT_FALSE(contains(PrefixList{}, "10.0.0.1"));
  const PrefixList all_v4 = list_of({"0.0.0.0/0"});
  EXPECT_FALSE(all_v4.empty());
  EXPECT_TRUE(contains(all_v4, "203.0.113.9"));
  EXPECT_FALSE(contains(all_v4, "::1"));
  EXPECT_TRUE(contains(list_of({"::/0"}), "2001:db8::1"));
}

// Prefix::contains is the slow, plain form of the same.
TEST(PrefixList, AgreesWithPrefix) {
  std::uint64_t state = random_seed();
  SCOPED_TRACE("seed " + std::to_string(state));
  const auto next = [&] { return state = state * 6364136223846793005U + 1442695040888963407U, state >> 33; };
  for (int i = 0; i < 2000; ++i) {
    std::array<std::uint8_t, 16> bytes;
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(next());
    const bool v4 = next() % 2 == 0;
    const auto address = [&] {
      return v4 ? IpAddress::v4_bytes(std::span(bytes).first<4>()) : IpAddress::v6_bytes(bytes);
    };
    const Prefix prefix = Prefix::of(address(), static_cast<int>(next() % (v4 ? 33 : 129)));
    const PrefixList list(std::span(&prefix, 1));
    EXPECT_TRUE(list.contains(address()));
    bytes[next() % (v4 ? 4 : 16)] ^= static_cast<std::uint8_t>(1U << next() % 8);
    EXPECT_EQ(list.contains(address()), prefix.contains(address())) << prefix.text() << " " << address().text();
  }
}

}  // namespace
}  // namespace meshdns
