#include "dnsd/topology/distance.h"

#include <gtest/gtest.h>

namespace meshdns::topology {
namespace {

class Distance : public testing::Test {
 protected:
  Distance() {
    clusters_["eu-1"].distances = {{"eu-2", 12ms}, {"us-1", 80ms}};
    clusters_["us-1"].distances = {{"eu-1", 95ms}, {"eu-2", 90ms}};
  }
  std::optional<Duration> from(const std::string& from, const std::string& to) const {
    return distance({clusters_, statuses_}, from, to);
  }

  std::map<std::string, model::Cluster> clusters_;
  std::map<std::string, model::ClusterStatus> statuses_;
};

TEST_F(Distance, to_itself_is_none) {
  EXPECT_EQ(from("eu-1", "eu-1"), 0ms);
  EXPECT_EQ(from("unheard-of", "unheard-of"), 0ms);
}

TEST_F(Distance, is_what_the_clients_cluster_says_else_the_other_one) {
  EXPECT_EQ(from("eu-1", "us-1"), 80ms);
  EXPECT_EQ(from("us-1", "eu-1"), 95ms);
  EXPECT_EQ(from("eu-2", "eu-1"), 12ms);
  EXPECT_EQ(from("eu-2", "us-1"), 90ms);
}

TEST_F(Distance, is_what_is_measured_where_nobody_has_configured_it) {
  statuses_["eu-1"].distances = {{"us-1", 1ms}, {"ap-1", 200ms}};
  EXPECT_EQ(from("eu-1", "us-1"), 80ms);
  EXPECT_EQ(from("eu-1", "ap-1"), 200ms);
  EXPECT_EQ(from("ap-1", "eu-1"), 200ms);
  statuses_["ap-1"].distances = {{"eu-1", 210ms}};
  EXPECT_EQ(from("ap-1", "eu-1"), 210ms);
}

TEST_F(Distance, is_unknown_where_nobody_says_it_or_a_cluster_is_missing) {
  EXPECT_EQ(from("eu-1", "ap-1"), std::nullopt);
  EXPECT_EQ(from("", "eu-1"), std::nullopt);
  EXPECT_EQ(from("eu-1", ""), std::nullopt);
  EXPECT_EQ(from("", ""), std::nullopt);
}

}  // namespace
}  // namespace meshdns::topology
