#include "common/net/prefix_map.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(PrefixMap, the_longest_wins) {
  PrefixMap<int> map;
  EXPECT_TRUE(map.insert(prefix("10.0.0.0/8"), 8));
  EXPECT_TRUE(map.insert(prefix("10.1.0.0/16"), 16));
  EXPECT_TRUE(map.insert(prefix("0.0.0.0/0"), 0));
  EXPECT_TRUE(map.insert(prefix("fd00::/8"), 6));
  EXPECT_EQ(map.lookup(ip("10.1.9.9"))->second, 16);
  EXPECT_EQ(map.lookup(ip("10.2.0.1"))->second, 8);
  EXPECT_EQ(map.lookup(ip("11.0.0.1"))->second, 0);
  EXPECT_EQ(map.lookup(ip("fd12::1"))->second, 6);
  EXPECT_EQ(map.lookup(ip("fe00::1")), nullptr);
}

TEST(PrefixMap, the_first_of_equal_prefixes_stays) {
  PrefixMap<int> map;
  EXPECT_TRUE(map.insert(prefix("10.0.0.0/8"), 1));
  EXPECT_FALSE(map.insert(prefix("10.0.0.0/8"), 2));
  EXPECT_EQ(*map.find(prefix("10.0.0.0/8")), 1);
  EXPECT_TRUE(map.erase(prefix("10.0.0.0/8")));
  EXPECT_EQ(map.lookup(ip("10.0.0.1")), nullptr);
}

}  // namespace
}  // namespace meshdns
