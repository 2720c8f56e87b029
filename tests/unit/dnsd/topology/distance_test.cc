#include "dnsd/topology/distance.h"

#include <gtest/gtest.h>

#include <map>

#include "common/base/text.h"
#include "dnsd/topology/decide.h"

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

/// The clusters of the tiers, for a host with an endpoint in each.
std::vector<std::string> order_of(const std::string& host, const std::string& from, const Geography& geography) {
  HostPlan plan;
  plan.name = host;
  for (const char* cluster : {"ap-1", "eu-1", "us-1", "us-2"}) {
    plan.candidates.emplace_back().locality.cluster = cluster;
  }
  std::vector<std::string> out;
  const model::Locality client{.cluster = from};
  for (const Tier& tier : decide(plan, {client}, geography).tiers) out.push_back(tier.cluster);
  return out;
}

// Guards against all unlocated clients of every host going to the cluster whose name comes first.
TEST_F(Distance, unknown_ones_give_every_cluster_its_part_of_hosts_and_clients) {
  std::map<std::string, int> first_of_hosts, first_of_clients;
  for (int i = 0; i < 2000; ++i) {
    ++first_of_hosts[order_of("host" + std::to_string(i), "", {clusters_, statuses_}).front()];
    ++first_of_clients[order_of("web", "c" + std::to_string(i), {clusters_, statuses_}).front()];
  }
  for (const char* cluster : {"ap-1", "eu-1", "us-1", "us-2"}) {
    EXPECT_NEAR(first_of_hosts[cluster], 500, 100) << cluster;
    EXPECT_NEAR(first_of_clients[cluster], 500, 100) << cluster;
  }
}

// Every server orders alike, whatever its version: these orders never change.
TEST_F(Distance, unknown_and_equal_ones_are_in_a_fixed_order_behind_known_ones) {
  const auto order = [&](const char* host, const char* from) {
    return join(order_of(host, from, {clusters_, statuses_}), " ");
  };
  clusters_.clear();
  EXPECT_EQ(order("web.mesh.internal", ""), "us-2 ap-1 us-1 eu-1");
  EXPECT_EQ(order("web.mesh.internal", "sa-1"), "ap-1 eu-1 us-1 us-2");
  EXPECT_EQ(order("api.mesh.internal", "sa-1"), "eu-1 us-1 us-2 ap-1");
  clusters_["sa-1"].distances = {{"us-1", 80ms}, {"us-2", 80ms}, {"ap-1", 90ms}};
  EXPECT_EQ(order("web.mesh.internal", "sa-1"), "us-1 us-2 ap-1 eu-1");
  EXPECT_EQ(order("api.mesh.internal", "sa-1"), "us-1 us-2 ap-1 eu-1");
}

TEST_F(Distance, is_unknown_where_nobody_says_it_or_a_cluster_is_missing) {
  EXPECT_EQ(from("eu-1", "ap-1"), std::nullopt);
  EXPECT_EQ(from("", "eu-1"), std::nullopt);
  EXPECT_EQ(from("eu-1", ""), std::nullopt);
  EXPECT_EQ(from("", ""), std::nullopt);
}

}  // namespace
}  // namespace meshdns::topology
