#include "common/identity/spiffe_id.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace meshdns::identity {
namespace {

TEST(SpiffeIdTest, parts_are_found) {
  const auto id = parse_spiffe_id("spiffe://mesh.internal/meshdns/node/eu-1/N7_a.b");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->trust_domain, "mesh.internal");
  EXPECT_THAT(id->path, testing::ElementsAre("meshdns", "node", "eu-1", "N7_a.b"));
}

TEST(SpiffeIdTest, whatever_can_be_read_in_two_ways_is_refused) {
  for (const std::string uri : {"",
                                "spiffe:",
                                "spiffe://",
                                "spiffe:///a",
                                "spiffe://td",
                                "spiffe://td/",
                                "spiffe://td//a",
                                "spiffe://td/a/",
                                "spiffe://td/a//b",
                                "spiffe://td/.",
                                "spiffe://td/a/../b",
                                "spiffe://td/a/..",
                                "SPIFFE://td/a",
                                "Spiffe://td/a",
                                "spiffe://TD/a",
                                "spiffe://td:443/a",
                                "spiffe://user@td/a",
                                "spiffe://td/a%2fb",
                                "spiffe://td/%61",
                                "spiffe://td/a?b",
                                "spiffe://td/a#b",
                                "spiffe://td/a b",
                                "spiffe://td/a\\b",
                                "spiffe://td/*",
                                " spiffe://td/a",
                                "https://td/a",
                                "spiffe:/td/a",
                                "spiffe://td/\xc3\xa4",
                                "spiffe://[::1]/a",
                                "spiffe://td/a\n",
                                "td/a"})
    EXPECT_FALSE(parse_spiffe_id(uri)) << uri;
  EXPECT_FALSE(parse_spiffe_id(std::string("spiffe://td/a\0b", 15)));
}

TEST(SpiffeIdTest, lengths_are_bounded) {
  const std::string beginning = "spiffe://td/";
  EXPECT_TRUE(parse_spiffe_id(beginning + std::string(2048 - beginning.size(), 'a')));
  EXPECT_FALSE(parse_spiffe_id(beginning + std::string(2049 - beginning.size(), 'a')));
  EXPECT_TRUE(parse_spiffe_id("spiffe://" + std::string(255, 'a') + "/a"));
  EXPECT_FALSE(parse_spiffe_id("spiffe://" + std::string(256, 'a') + "/a"));
}

}  // namespace
}  // namespace meshdns::identity
