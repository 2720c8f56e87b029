#include "common/model/ladder.h"

#include <gtest/gtest.h>

namespace meshdns::model {
namespace {

TEST(Ladder, zone_implies_region_and_subzone_implies_zone) {
  const Rung zone = parse_rung("zone").value();
  EXPECT_TRUE(zone.requires_part(Part::Region));
  EXPECT_FALSE(zone.requires_part(Part::Cluster));
  const Rung subzone = parse_rung("subzone").value();
  EXPECT_TRUE(subzone.requires_part(Part::Zone));
  EXPECT_TRUE(subzone.requires_part(Part::Region));
}

TEST(Ladder, node_implies_cluster) {
  EXPECT_TRUE(parse_rung("node").value().requires_part(Part::Cluster));
  EXPECT_FALSE(parse_rung("cluster").value().requires_part(Part::Node));
  EXPECT_EQ(with_implied(Part::Network), 1U);
}

TEST(Ladder, rungs_without_cluster_and_node_are_split) {
  EXPECT_TRUE(parse_rung("any").value().split_by_cluster());
  EXPECT_TRUE(parse_rung("zone").value().split_by_cluster());
  EXPECT_TRUE(parse_rung("network").value().split_by_cluster());
  EXPECT_FALSE(parse_rung("cluster").value().split_by_cluster());
  EXPECT_FALSE(parse_rung("node").value().split_by_cluster());
}

TEST(Ladder, says_what_was_meant) {
  EXPECT_NE(parse_rung("cluster+zoen").error().message().find("did you mean \"zone\"?"), std::string::npos);
  EXPECT_FALSE(parse_rung("zone+zone"));
  EXPECT_NE(parse_rung("netwrok").error().message().find("did you mean \"network\"?"), std::string::npos);
  EXPECT_FALSE(parse_rung(""));
}

TEST(Ladder, the_default_is_the_documented_one) {
  std::string names;
  for (const auto& rung : default_ladder()) names += rung.name + " ";
  EXPECT_EQ(names, "cluster+zone cluster zone region any ");
}

}  // namespace
}  // namespace meshdns::model
