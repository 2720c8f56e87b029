#include "common/net/prefix_set.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/random_seed.h"
#include "tests/support/cost.h"

namespace meshdns {
namespace {

bool contains(const PrefixSet& set, const char* address) { return set.contains(*IpAddress::parse(address)); }

TEST(PrefixSet, EmptyAndEverything) {
  EXPECT_FALSE(contains(PrefixSet{}, "10.0.0.1"));
  const PrefixSet all_v4{*Prefix::parse("10.0.0.0/8"), *Prefix::parse("0.0.0.0/0")};
  EXPECT_TRUE(contains(all_v4, "255.255.255.255"));
  EXPECT_FALSE(contains(all_v4, "::"));
  EXPECT_TRUE(contains(PrefixSet{*Prefix::parse("::/0")}, "ffff::1"));
}

TEST(PrefixSet, APrefixInsideAnotherHidesNothing) {
  const PrefixSet set{*Prefix::parse("10.1.0.0/16"), *Prefix::parse("10.0.0.0/8"), *Prefix::parse("10.0.0.0/24")};
  for (const char* inside : {"10.0.0.0", "10.0.1.0", "10.1.2.3", "10.255.255.255"}) EXPECT_TRUE(contains(set, inside));
  for (const char* outside : {"9.255.255.255", "11.0.0.0"}) EXPECT_FALSE(contains(set, outside));
}

TEST(PrefixSet, APrefixIsInsideOneOfItsPrefixesOrNot) {
  const PrefixSet set{*Prefix::parse("10.0.0.0/25"), *Prefix::parse("10.0.0.128/25"), *Prefix::parse("fd00::/8")};
  for (const char* inside : {"10.0.0.0/25", "10.0.0.130/31", "10.0.0.255/32", "fd00::/8", "fd01::/16"}) {
    EXPECT_TRUE(set.contains(*Prefix::parse(inside))) << inside;
  }
  for (const char* outside :
       {"10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "10.0.1.0/32", "fc00::/7", "::/0", "fe00::/16"}) {
    EXPECT_FALSE(set.contains(*Prefix::parse(outside))) << outside;
  }
  EXPECT_TRUE(PrefixSet{*Prefix::parse("0.0.0.0/0")}.contains(*Prefix::parse("0.0.0.0/0")));
}

/// Random prefixes and addresses that lie close together, so that many prefixes contain others and many addresses.
struct Source {
  std::uint64_t state;

  std::uint64_t next() { return state = state * 6364136223846793005U + 1442695040888963407U, state >> 33; }
  IpAddress address() {
    std::array<std::uint8_t, 16> bytes{};
    for (const std::size_t at : {0, 1, 2, 3, 15}) bytes[at] = static_cast<std::uint8_t>(next() % 4 * 85);
    return next() % 2 == 0 ? IpAddress::v4_bytes(std::span(bytes).first<4>()) : IpAddress::v6_bytes(bytes);
  }
  Prefix prefix() {
    const IpAddress of = address();
    return Prefix::of(of, static_cast<int>(next() % static_cast<std::uint64_t>(of.bits() + 1)));
  }
};

// To ask every prefix is the slow, plain form of the same.
TEST(PrefixSet, AgreesWithAskingEveryPrefix) {
  Source source{random_seed()};
  SCOPED_TRACE("seed " + std::to_string(source.state));
  std::size_t inside = 0;
  std::size_t asked = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<Prefix> prefixes(source.next() % 20);
    for (Prefix& prefix : prefixes) {
      do prefix = source.prefix();
      while (prefix.length() < 6);  // shorter ones contain nearly all addresses
    }
    const PrefixSet set(prefixes);
    for (int i = 0; i < 100; ++i, ++asked) {
      const IpAddress address = source.address();
      const bool expected = std::ranges::any_of(prefixes, [&](const Prefix& each) { return each.contains(address); });
      ASSERT_EQ(set.contains(address), expected) << address.text();
      inside += expected ? 1 : 0;
    }
  }
  EXPECT_GT(inside, asked / 20);
  EXPECT_GT(asked - inside, asked / 20);
}

// A query asked every prefix that the nodes report, up to 256 of each node.
TEST(PrefixSet, ManyPrefixesCostHardlyMoreThanFew) {
  const auto cost = [](std::uint32_t count) {
    std::vector<Prefix> prefixes;
    for (std::uint32_t i = 0; i < count; ++i) prefixes.push_back(Prefix::of(IpAddress::v4(i << 12), 24));
    const PrefixSet set(prefixes);
    return test::cpu_seconds([&] {
      std::uint32_t found = 0;
      for (std::uint32_t i = 0; i < 2000; ++i) found += set.contains(IpAddress::v4(i * 858993459U)) ? 1U : 0U;
      ASSERT_LT(found, 2000U);
    });
  };
  const double few = cost(200);
  EXPECT_LT(cost(12'800), 10 * few) << "a linear cost grows 64 times";
}

}  // namespace
}  // namespace meshdns
