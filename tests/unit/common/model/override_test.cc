#include "common/model/override.h"

#include <gtest/gtest.h>

namespace meshdns::model {
namespace {

TEST(ParseTarget, reads_what_target_text_prints) {
  for (const auto* text : {"endpoint=eu-1/n1/10.0.0.1", "node=eu1-n1", "service=shop/web", "zone=eu/eu-a",
                           "cluster=eu-1", "endpoint=a=b"}) {
    EXPECT_EQ(target_text(parse_target(text).value()), text);
  }
  EXPECT_EQ(parse_target("zone=eu-a").value(), (OverrideTarget{TargetKind::Zone, "eu-a"}));
}

TEST(ParseTarget, says_what_is_known) {
  for (const auto* text : {"", "node", "node=", "=n1", "region=eu", "Node=n1"}) {
    const auto target = parse_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().code(), Code::InvalidArgument);
    EXPECT_EQ(target.error().message(),
              std::string("expected endpoint=, node=, service=, zone= or cluster= and a name (got ") + text + ")");
  }
}

TEST(Action, names_come_back) {
  for (const auto action : {Action::Down, Action::Drain, Action::Up, Action::Freeze}) {
    EXPECT_EQ(action_named(action_name(action)), action);
  }
  EXPECT_EQ(action_named("down"), std::nullopt);
}

class Hits : public testing::Test {
 protected:
  bool hits(const std::string& target) const {
    return model::hits(parse_target(target).value(), {key_, node_, namespace_, service_, place_, addresses_, 8080});
  }

  std::string key_ = "eu-1/n1/web-0";
  std::string node_ = "eu-1/n1";
  std::string namespace_ = "shop";
  std::string service_ = "web";
  Locality place_{"corp", "eu", "eu-a", "", "eu-1", "n1"};
  std::vector<IpAddress> addresses_ = {IpAddress::parse("10.0.0.1").value(), IpAddress::parse("fd00::1").value()};
};

TEST_F(Hits, an_endpoint_by_key_address_or_address_and_port) {
  EXPECT_TRUE(hits("endpoint=eu-1/n1/web-0"));
  EXPECT_TRUE(hits("endpoint=10.0.0.1"));
  EXPECT_TRUE(hits("endpoint=fd00::1"));
  EXPECT_TRUE(hits("endpoint=10.0.0.1:8080"));
  EXPECT_TRUE(hits("endpoint=[fd00::1]:8080"));
  EXPECT_FALSE(hits("endpoint=10.0.0.1:8081"));
  EXPECT_FALSE(hits("endpoint=10.0.0.11"));
  EXPECT_FALSE(hits("endpoint=web-0"));
}

TEST_F(Hits, a_node_with_or_without_its_cluster) {
  EXPECT_TRUE(hits("node=eu-1/n1"));
  EXPECT_TRUE(hits("node=n1"));
  EXPECT_FALSE(hits("node=1"));
  EXPECT_FALSE(hits("node=eu-2/n1"));
  node_.clear();  // an external endpoint
  EXPECT_FALSE(hits("node=n1"));
}

TEST_F(Hits, a_zone_with_or_without_its_region) {
  EXPECT_TRUE(hits("zone=eu/eu-a"));
  EXPECT_TRUE(hits("zone=eu-a"));
  EXPECT_FALSE(hits("zone=us/eu-a"));
  EXPECT_FALSE(hits("zone=a"));
  place_.zone.clear();
  EXPECT_FALSE(hits("zone=eu-a"));
}

TEST_F(Hits, services_and_clusters_by_their_whole_name) {
  EXPECT_TRUE(hits("service=shop/web"));
  EXPECT_FALSE(hits("service=web"));
  EXPECT_FALSE(hits("service=shop/we"));
  EXPECT_TRUE(hits("cluster=eu-1"));
  EXPECT_FALSE(hits("cluster=eu"));
}

}  // namespace
}  // namespace meshdns::model
