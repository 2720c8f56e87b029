#include "common/model/locality.h"

#include <gtest/gtest.h>

#include "common/model/named.h"

namespace meshdns::model {
namespace {

TEST(Locality, a_missing_part_equals_nothing) {
  EXPECT_FALSE(same(Locality{}, Locality{}, Part::Zone));
  EXPECT_TRUE(same(Locality{.zone = "a"}, Locality{.zone = "a"}, Part::Zone));
  EXPECT_FALSE(same(Locality{.zone = "a"}, Locality{}, Part::Zone));
}

TEST(Locality, names_that_differ_in_case_are_one) {
  EXPECT_TRUE(same(Locality{.region = "EU"}, Locality{.region = "eu"}, Part::Region));
  EXPECT_FALSE(same(Locality{.region = "EU1"}, Locality{.region = "eu"}, Part::Region));
  EXPECT_EQ(refined({.region = "EU"}, {.region = "eu", .zone = "A"}), (Locality{.region = "EU", .zone = "A"}));
  const std::map<std::string, int> numbers = {{"EU", 1}, {"Eu", 2}, {"us", 3}};
  EXPECT_EQ(*find_named(numbers, "Eu"), 2);
  EXPECT_EQ(*find_named(numbers, "eu"), 1);
  EXPECT_EQ(*find_named(numbers, "US"), 3);
  EXPECT_EQ(find_named(numbers, "ap"), nullptr);
}

TEST(Locality, prints_region_zone_cluster) {
  EXPECT_EQ((Locality{.region = "eu", .zone = "eu-a", .cluster = "eu-1"}).text(), "eu/eu-a/eu-1");
  EXPECT_EQ((Locality{.region = "eu"}).text(), "eu/-/-");
  EXPECT_EQ((Locality{.network = "corp"}).text(), "nowhere");
}

TEST(Locality, is_refined_only_by_what_agrees) {
  const Locality place{.region = "eu", .cluster = "eu-1"};
  EXPECT_EQ(refined(place, {.region = "eu", .zone = "eu-a"}).zone, "eu-a");
  EXPECT_EQ(refined(place, {.region = "us", .zone = "us-a"}), place);
}

}  // namespace
}  // namespace meshdns::model
