#include "dnsd/federation/measure_plan.h"

#include <gmock/gmock.h>

#include <random>

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

/// A mesh in which every node's agent is connected.
class MeasurePlanTest : public testing::Test {
 protected:
  model::Records records;
  std::set<std::string> connected;

  void node(const std::string& cluster, const std::string& name, const std::string& region = "",
            const std::string& zone = "") {
    model::Node node;
    node.key = cluster + "/" + name;
    node.locality = {"", region, zone, "", cluster, name};
    records.nodes[node.key] = node;
    connected.insert(node.key);
  }
  void nodes(const std::string& cluster, int count) {
    for (int i = 0; i < count; ++i) node(cluster, "n" + std::to_string(i));
  }
  model::Endpoint& endpoint(const std::string& node, const std::string& address, const std::string& protocol = "TCP") {
    model::Endpoint out;
    out.key = node + "/shop/web/" + address;
    out.node = node;
    out.addresses = {IpAddress::parse(address).value()};
    out.ports = {{.name = "http", .number = 8080, .protocol = protocol}};
    out.health.state = model::HealthState::Serving;
    return records.endpoints[out.key] = out;
  }
  void gateway(const std::string& cluster, const std::string& address, std::uint16_t port = 8080) {
    model::Cluster& object = records.clusters[cluster];
    object.meta.name = cluster;
    object.gateways.push_back({IpAddress::parse(address).value(), {{.name = "http", .number = port}}});
  }
  MeasurePlan plan() const { return plan_measurements(records, connected); }
  std::vector<std::string> keys(const std::string& node) const {
    std::vector<std::string> out;
    const MeasurePlan now = plan();
    const auto found = now.find(node);
    if (found == now.end()) return out;
    for (const auto& target : found->second) out.push_back(target.key);
    return out;
  }
  /// Who measures it.
  std::set<std::string> agents_of(const std::string& key) const {
    std::set<std::string> out;
    for (const auto& [node, targets] : plan()) {
      for (const auto& target : targets) {
        if (target.key == key) out.insert(node);
      }
    }
    return out;
  }
};

TEST_F(MeasurePlanTest, gateways_stand_for_a_cluster_that_has_some) {
  nodes("eu-1", 1);
  nodes("us-1", 1);
  endpoint("us-1/n0", "10.2.0.11");
  gateway("us-1", "10.2.0.1");
  gateway("us-1", "10.2.0.2", 443);
  EXPECT_THAT(keys("eu-1/n0"), ElementsAre("gateway us-1 10.2.0.1:8080", "gateway us-1 10.2.0.2:443"));
  const auto target = plan().at("eu-1/n0")[1];
  EXPECT_EQ(target.cluster, "us-1");
  EXPECT_TRUE(target.gateway);
  EXPECT_EQ(target.address.text(), "10.2.0.2:443");
}

TEST_F(MeasurePlanTest, a_cluster_is_not_measured_by_its_own_agents) {
  nodes("us-1", 3);
  gateway("us-1", "10.2.0.1");
  endpoint("us-1/n0", "10.2.0.11");
  EXPECT_THAT(plan(), IsEmpty());
}

TEST_F(MeasurePlanTest, else_serving_endpoints_on_different_nodes) {
  nodes("eu-1", 1);
  nodes("us-1", 5);
  for (const auto& [key, node] : std::map(records.nodes)) {
    if (!key.starts_with("us-1")) continue;
    for (int i = 0; i < 4; ++i) endpoint(key, "10.2." + key.substr(6) + "." + std::to_string(11 + i));
  }
  const auto measured = plan().at("eu-1/n0");
  std::set<std::string> hosts;
  for (const auto& target : measured) {
    EXPECT_EQ(target.cluster, "us-1");
    EXPECT_FALSE(target.gateway);
    hosts.insert(target.key.substr(0, target.key.find("/shop")));
  }
  EXPECT_EQ(hosts.size(), 3U);
  EXPECT_EQ(measured.size(), 3U);
}

TEST_F(MeasurePlanTest, what_cannot_be_connected_to_stands_for_nothing) {
  nodes("eu-1", 1);
  nodes("us-1", 3);
  endpoint("us-1/n0", "10.2.0.11", "UDP");
  endpoint("us-1/n1", "10.2.0.12").health.state = model::HealthState::Failing;
  endpoint("us-1/n2", "10.2.0.13");
  records.statuses["us-1/n2"].silent = true;
  gateway("us-1", "10.2.0.1");
  records.clusters["us-1"].gateways[0].ports = {{.name = "quic", .number = 443, .protocol = "UDP"}};
  EXPECT_THAT(keys("eu-1/n0"), IsEmpty());
  records.statuses.clear();
  EXPECT_THAT(keys("eu-1/n0"), ElementsAre("endpoint us-1/n2/shop/web/10.2.0.13"));
}

// Guards against measuring ourselves.
TEST_F(MeasurePlanTest, a_loopback_address_is_not_measured_from_another_machine) {
  nodes("eu-1", 1);
  nodes("us-1", 1);
  endpoint("us-1/n0", "127.0.0.1");
  records.nodes["us-1/n0"].addresses = {IpAddress::parse("10.2.0.5").value()};
  EXPECT_THAT(keys("eu-1/n0"), IsEmpty());
  records.nodes["us-1/n0"].addresses = {IpAddress::parse("127.0.0.1").value()};
  EXPECT_THAT(keys("eu-1/n0"), ElementsAre("endpoint us-1/n0/shop/web/127.0.0.1"));
}

TEST_F(MeasurePlanTest, three_agents_measure_a_cluster_and_all_of_its_gateways) {
  nodes("eu-1", 20);
  gateway("us-1", "10.2.0.1");
  gateway("us-1", "10.2.0.2");
  const auto agents = agents_of("gateway us-1 10.2.0.1:8080");
  EXPECT_EQ(agents.size(), 3U);
  EXPECT_EQ(agents_of("gateway us-1 10.2.0.2:8080"), agents);
}

TEST_F(MeasurePlanTest, the_nearest_agents_are_asked) {
  nodes("eu-1", 10);
  node("eu-1", "same-zone", "us", "us-a");
  node("eu-1", "same-region", "us", "us-b");
  node("eu-1", "also", "us", "us-c");
  node("eu-1", "zone-of-another-region", "ap", "us-a");
  gateway("us-1", "10.2.0.1");
  records.clusters["us-1"].locality = {"", "us", "us-a", "", "us-1", ""};
  EXPECT_THAT(agents_of("gateway us-1 10.2.0.1:8080"),
              UnorderedElementsAre("eu-1/same-zone", "eu-1/same-region", "eu-1/also"));
}

// A cluster without an object is where its nodes are.
TEST_F(MeasurePlanTest, nearest_to_the_nodes_of_a_cluster_that_nobody_described) {
  nodes("eu-1", 10);
  node("eu-1", "near", "us", "us-a");
  node("us-1", "n0", "us", "us-a");
  endpoint("us-1/n0", "10.2.0.11");
  EXPECT_TRUE(agents_of("endpoint us-1/n0/shop/web/10.2.0.11").contains("eu-1/near"));
}

TEST_F(MeasurePlanTest, different_clusters_are_measured_by_different_agents) {
  nodes("eu-1", 50);
  for (int i = 0; i < 50; ++i) gateway("c" + std::to_string(i), "10.2.0." + std::to_string(i + 1));
  std::size_t most = 0;
  for (const auto& [node, targets] : plan()) most = std::max(most, targets.size());
  EXPECT_LT(most, 15U);
}

TEST_F(MeasurePlanTest, an_agent_that_goes_hands_over_only_what_was_its_own) {
  nodes("eu-1", 20);
  for (int i = 0; i < 20; ++i) gateway("c" + std::to_string(i), "10.2.0." + std::to_string(i + 1));
  const MeasurePlan before = plan();
  connected.erase("eu-1/n7");
  const MeasurePlan after = plan();
  EXPECT_FALSE(after.contains("eu-1/n7"));
  for (const auto& [node, targets] : before) {
    if (node == "eu-1/n7") continue;
    for (const auto& target : targets) EXPECT_THAT(after.at(node), testing::Contains(target));
  }
}

TEST_F(MeasurePlanTest, who_is_full_leaves_it_to_the_next_and_every_cluster_has_its_turn) {
  nodes("eu-1", 4);
  for (int i = 0; i < 100; ++i) gateway("big", "10.2.0." + std::to_string(i + 1));
  gateway("small", "10.3.0.1");
  std::multiset<std::size_t> sizes;
  for (const auto& [node, targets] : plan()) sizes.insert(targets.size());
  EXPECT_THAT(sizes, ElementsAre(testing::_, kMostTargets, kMostTargets, kMostTargets));
  EXPECT_EQ(agents_of("gateway big 10.2.0.100:8080").size(), 1U);
  EXPECT_EQ(agents_of("gateway small 10.3.0.1:8080").size(), 3U);
  EXPECT_EQ(agents_of("gateway big 10.2.0.1:8080").size(), 3U);
}

TEST_F(MeasurePlanTest, clusters_that_share_an_address_are_told_apart) {
  nodes("eu-1", 1);
  gateway("us-1", "10.2.0.1");
  gateway("us-2", "10.2.0.1");
  EXPECT_THAT(keys("eu-1/n0"), ElementsAre("gateway us-1 10.2.0.1:8080", "gateway us-2 10.2.0.1:8080"));
}

TEST_F(MeasurePlanTest, agents_that_the_catalog_does_not_know_are_not_asked) {
  gateway("us-1", "10.2.0.1");
  connected.insert("eu-1/gone");
  EXPECT_THAT(plan(), IsEmpty());
}

// Whatever there is: nobody has too much, nobody measures its own cluster, nothing twice, at most three on one target.
TEST_F(MeasurePlanTest, keeps_its_bounds_in_any_mesh) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed);
    const auto below = [&](int end) { return std::uniform_int_distribution<int>(0, end - 1)(random); };
    records = {};
    connected.clear();
    const int clusters = 1 + below(6);
    for (int c = 0; c < clusters; ++c) {
      const std::string name = "c" + std::to_string(c);
      nodes(name, below(6));
      for (int g = below(50); g > 0; --g) gateway(name, "10." + std::to_string(c) + ".9." + std::to_string(g));
      for (int e = below(8); e > 0; --e)
        endpoint(name + "/n" + std::to_string(below(6)), "10.0.0." + std::to_string(e));
    }
    std::map<std::pair<std::string, std::string>, int> askers;  // cluster, target
    for (const auto& [node, targets] : plan()) {
      ASSERT_LE(targets.size(), kMostTargets);
      std::set<std::string> once;
      for (const auto& target : targets) {
        ASSERT_TRUE(once.insert(target.key).second);
        ASSERT_FALSE(node.starts_with(target.cluster + "/"));
        ASSERT_LE(++askers[std::pair(node.substr(0, node.find('/')), target.key)], 3);
      }
    }
    ASSERT_EQ(plan(), plan());
  }
}

}  // namespace
}  // namespace meshdns::federation
