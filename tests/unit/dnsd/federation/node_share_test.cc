// What one agent may say, whoever it is.
#include "common/model/limits.h"
#include "dnsd/federation/report_session.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using NodeShareTest = FederationTest;

// Guards the keys "cluster/node/...": a node named n1/shop would own what node n1 reports.
TEST_F(NodeShareTest, a_nodes_name_is_a_host_name) {
  for (const std::string& name : {std::string("n1/shop"), std::string("n 1"), std::string("n1\n"), std::string("n1."),
                                  std::string("n\x1b[2J"), std::string("n\xc3\xa4"), std::string(254, 'n')}) {
    FakeAgent& agent = connect();
    agent.hello({.node = name});
    EXPECT_THAT(agent.heard().goodbye().message(), HasSubstr("node: locality.node: ")) << name;
    EXPECT_LT(agent.heard().goodbye().message().size(), 200U);
  }
  EXPECT_THAT(catalog_.records().nodes, IsEmpty());
  FakeAgent& good = connect();
  good.hello({.node = "N1.example.com"});
  EXPECT_NE(good.epoch(), 0U);
}

TEST_F(NodeShareTest, what_an_agent_says_of_itself_has_bounds) {
  FakeAgent& agent = connect();
  agent.hello({.uid = std::string(model::kLongestKey + 1, 'u')});
  EXPECT_THAT(agent.heard().goodbye().message(), HasSubstr("instance_uid"));
  FakeAgent& wide = connect();
  v1::AgentMessage message;
  message.mutable_hello()->set_protocol(1);
  message.mutable_hello()->mutable_node()->set_name("n1");
  message.mutable_hello()->mutable_node()->mutable_locality()->set_cluster("eu-1");
  for (std::size_t i = 0; i <= model::kMostPrefixes; ++i) {
    message.mutable_hello()->mutable_node()->add_prefixes("10." + std::to_string(i / 256) + "." +
                                                          std::to_string(i % 256) + ".0/24");
  }
  wide.say(message);
  EXPECT_THAT(wide.heard().goodbye().message(), HasSubstr("node: prefixes: more than 256"));
}

// The records within a node's share are answered; those beyond are refused by name.
TEST_F(NodeShareTest, a_node_has_a_share_of_endpoints) {
  FakeAgent& agent = connect();
  agent.hello();
  std::vector<std::string> records;
  for (std::size_t i = 0; i < model::kMostNodeEndpoints; ++i) records.push_back(encoded({.key = std::to_string(i)}));
  records.push_back(encoded({.key = "beyond"}));
  agent.full(records);
  ASSERT_EQ(agent.heard().ack().nacks_size(), 1);
  EXPECT_EQ(agent.heard().ack().nacks(0).key(), "beyond");
  EXPECT_THAT(agent.heard().ack().nacks(0).reason(), HasSubstr("at most 10000 endpoints"));
  agent.delta({encoded({.key = "beyond"}), encoded({.key = "7", .weight = 3})});
  ASSERT_EQ(agent.heard().ack().nacks_size(), 1);
  EXPECT_THAT(agent.heard().ack().nacks(0).reason(), HasSubstr("10000 endpoints already"));
  EXPECT_EQ(record("eu-1/n1/7").weight, 3U);
  agent.delta({}, {"7"});
  agent.delta({encoded({.key = "beyond"})});
  EXPECT_EQ(agent.heard().ack().nacks_size(), 0);
  EXPECT_EQ(catalog_.endpoints_of("eu-1/n1"), model::kMostNodeEndpoints);
}

// Guards the agent's stream: an acknowledgement longer than a message would end it again and again.
TEST_F(NodeShareTest, refusals_fit_into_a_message) {
  FakeAgent& agent = connected({});
  std::vector<std::string> records;
  for (int i = 0; i < 4000; ++i) {
    records.push_back(encoded({.key = std::to_string(i) + std::string(2000, 'k'), .service = "a.b"}));
  }
  agent.delta(records);
  EXPECT_GT(agent.heard().ack().nacks_size(), 100);
  EXPECT_LT(agent.heard().ByteSizeLong(), std::size_t{2} << 20);
}

TEST_F(NodeShareTest, the_detail_of_a_state_is_cut) {
  v1::Endpoint long_detail;
  ASSERT_TRUE(long_detail.ParseFromString(encoded({.key = "a"})));
  long_detail.mutable_health()->set_detail(std::string(model::kLongestDetail - 1, 'd') + "\xc3\xa4" + "more");
  FakeAgent& agent = connect();
  agent.hello();
  agent.full({long_detail.SerializeAsString()});
  EXPECT_EQ(agent.heard().ack().nacks_size(), 0);
  EXPECT_EQ(record("eu-1/n1/a").health.detail, std::string(model::kLongestDetail - 1, 'd')) << "no half character";
}

}  // namespace
}  // namespace meshdns::federation
