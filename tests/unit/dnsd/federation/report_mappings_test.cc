#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

const Identity kMapper{.maps_ports = true};

class ReportMappingsTest : public FederationTest {
 protected:
  /// The settings that an agent was sent after Welcome.
  static std::vector<v1::Settings> sent(FakeAgent& agent) {
    std::vector<v1::Settings> out;
    for (const v1::ReportReply& reply : agent.port().sent) {
      if (reply.has_settings()) out.push_back(reply.settings());
    }
    return out;
  }
  static const v1::Settings& welcome(FakeAgent& agent) { return agent.port().sent.front().welcome().settings(); }
  void map(const std::string& node, std::uint32_t number) {
    mapped_[node] = number;
    mappings_changed_.insert(node);
    advance(1s);
  }
};

TEST_F(ReportMappingsTest, an_agent_that_maps_ports_is_told_at_once_and_after_each_change) {
  mapped_["eu-1/n1"] = 80;
  FakeAgent& agent = connected({{}}, kMapper);
  ASSERT_EQ(welcome(agent).mappings().ports_size(), 1);
  EXPECT_EQ(welcome(agent).mappings().ports(0).number(), 80U);
  map("eu-1/n1", 443);
  ASSERT_EQ(sent(agent).size(), 1U);
  EXPECT_EQ(sent(agent).back().mappings().ports(0).number(), 443U);
  EXPECT_TRUE(sent(agent).back().has_heartbeat()) << "settings are always whole";
}

TEST_F(ReportMappingsTest, nothing_is_sent_that_the_agent_knows) {
  mapped_["eu-1/n1"] = 80;
  FakeAgent& agent = connected({{}}, kMapper);
  FakeAgent& other = connected({{}}, {.node = "n2", .uid = "uid-2", .maps_ports = true});
  map("eu-1/n1", 80);
  EXPECT_TRUE(sent(agent).empty());
  EXPECT_TRUE(sent(other).empty());
}

TEST_F(ReportMappingsTest, the_last_mapping_is_withdrawn_by_an_empty_list) {
  mapped_["eu-1/n1"] = 80;
  FakeAgent& agent = connected({{}}, kMapper);
  mapped_.clear();
  mappings_changed_.insert("eu-1/n1");
  advance(1s);
  ASSERT_EQ(sent(agent).size(), 1U);
  EXPECT_TRUE(sent(agent).back().has_mappings());
  EXPECT_EQ(sent(agent).back().mappings().ports_size(), 0);
}

TEST_F(ReportMappingsTest, agents_without_port_mapping_and_older_ones_are_not_told) {
  mapped_["eu-1/n1"] = 80;
  FakeAgent& agent = connected({{}});
  EXPECT_FALSE(welcome(agent).has_mappings());
  map("eu-1/n1", 443);
  EXPECT_TRUE(sent(agent).empty());
}

TEST_F(ReportMappingsTest, while_objects_may_be_lost_agents_keep_what_they_have) {
  mappings_known_ = false;
  FakeAgent& agent = connected({{}}, kMapper);
  EXPECT_FALSE(welcome(agent).has_mappings());
  map("eu-1/n1", 80);
  EXPECT_TRUE(sent(agent).empty());
  mappings_known_ = true;
  agents_.tell_mappings();
  ASSERT_EQ(sent(agent).size(), 1U);
  EXPECT_EQ(sent(agent).back().mappings().ports(0).number(), 80U);
}

}  // namespace
}  // namespace meshdns::federation
