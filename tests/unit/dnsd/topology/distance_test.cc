#include "dnsd/topology/distance.h"

#include <gtest/gtest.h>

namespace meshdns::topology {
namespace {

using Clusters = std::map<std::string, model::Cluster>;

Clusters clusters() {
  Clusters out;
  out["eu-1"].distances = {{"eu-2", 12ms}, {"us-1", 80ms}};
  out["us-1"].distances = {{"eu-1", 95ms}, {"eu-2", 90ms}};
  return out;
}

TEST(Distance, to_itself_is_none) {
  EXPECT_EQ(distance(clusters(), "eu-1", "eu-1"), 0ms);
  EXPECT_EQ(distance({}, "unheard-of", "unheard-of"), 0ms);
}

TEST(Distance, is_what_the_clients_cluster_says_else_the_other_one) {
  EXPECT_EQ(distance(clusters(), "eu-1", "us-1"), 80ms);
  EXPECT_EQ(distance(clusters(), "us-1", "eu-1"), 95ms);
  EXPECT_EQ(distance(clusters(), "eu-2", "eu-1"), 12ms);
  EXPECT_EQ(distance(clusters(), "eu-2", "us-1"), 90ms);
}

TEST(Distance, is_unknown_where_nobody_says_it_or_a_cluster_is_missing) {
  EXPECT_EQ(distance(clusters(), "eu-1", "ap-1"), std::nullopt);
  EXPECT_EQ(distance(clusters(), "", "eu-1"), std::nullopt);
  EXPECT_EQ(distance(clusters(), "eu-1", ""), std::nullopt);
  EXPECT_EQ(distance(clusters(), "", ""), std::nullopt);
}

}  // namespace
}  // namespace meshdns::topology
