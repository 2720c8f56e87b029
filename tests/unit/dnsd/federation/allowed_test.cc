// What a caller with a certificate may do in its session.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/identity/gate.h"
#include "dnsd/federation/watchers.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::HasSubstr;

identity::Caller with_certificate(const std::string& owner) {
  const auto rules = identity::Rules::make({}, "");
  const identity::Gate gate(*rules, {.cluster = "eu-1", .peers = {}, .open = false});
  return *gate.caller(std::vector{"spiffe://m/meshdns/" + owner});
}

class AllowedTest : public FederationTest {
 protected:
  FakeAgent& connect_as(const std::string& owner) {
    agents_of_test_.push_back(std::make_unique<FakeAgent>(agents_, false, "10.0.0.7", with_certificate(owner)));
    return *agents_of_test_.back();
  }
};

TEST_F(AllowedTest, a_node_reports_for_itself) {
  FakeAgent& agent = connect_as("node/eu-1/n1");
  agent.hello();
  EXPECT_TRUE(agent.welcomed());
  EXPECT_EQ(agents_.counters().not_allowed, 0U);
}

TEST_F(AllowedTest, whoever_may_not_report_is_sent_away_with_the_rule) {
  for (const std::string owner : {"node/eu-1/n2", "node/us-1/n1", "dns/eu-1/n1", "operator/admin/alice"}) {
    FakeAgent& agent = connect_as(owner);
    agent.hello();
    EXPECT_FALSE(agent.welcomed()) << owner;
    ASSERT_TRUE(agent.heard().has_goodbye()) << owner;
    EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::NOT_ALLOWED);
    EXPECT_THAT(agent.heard().goodbye().message(), HasSubstr("may not report as eu-1/n1 (rule "));
  }
  EXPECT_EQ(agents_.counters().not_allowed, 4U);
  ASSERT_EQ(audited_.size(), 4U);
  EXPECT_EQ(audited_[0].who, "node eu-1/n2");
  EXPECT_EQ(audited_[0].verb, "report");
  EXPECT_EQ(audited_[0].objects, "Node/eu-1/n1");
  EXPECT_EQ(audited_[0].refused, "node eu-1/n2 may not report as eu-1/n1 (rule own-node)");
  EXPECT_EQ(agents_.connected(), 0U);
  EXPECT_TRUE(catalog_.records().nodes.empty());
}

TEST_F(AllowedTest, who_is_refused_does_not_disturb_the_nodes_session) {
  FakeAgent& own = connect_as("node/eu-1/n1");
  own.hello();
  own.full({encoded({})});
  connect_as("node/eu-1/n2").hello({.uid = "uid-1"});
  own.heartbeat(digest_of({{}}));
  EXPECT_TRUE(agents_.is_connected("eu-1/n1"));
  EXPECT_FALSE(own.heard().has_ping());
}

class WatchAllowedTest : public FederationTest {
 protected:
  /// Returns the message of the Goodbye; empty = the caller may watch.
  std::string outcome(const std::string& owner, v1::Subscribe::Mode mode) {
    const auto port = std::make_shared<test::FakePort<EncodedReply>>();
    const auto session = watchers_.open(port, "ipv4:10.0.0.8:1", with_certificate(owner));
    v1::WatchRequest request;
    request.mutable_subscribe()->set_mode(mode);
    session->received(request);
    std::string out;
    for (const EncodedReply& sent : port->sent) {
      v1::WatchReply reply;
      EXPECT_TRUE(reply.ParseFromString(*sent));
      if (reply.has_goodbye()) out = reply.goodbye().message();
    }
    watchers_.closed(*session);
    return out;
  }

  Feed feed_{catalog_, v1::Origin(), 1, [](auto, const auto&) { return nullptr; }};
  std::vector<log::AuditEntry> noted_;
  Watchers watchers_{feed_, clock_, clock_, WatchContext::kUnread,
                     [this](const log::AuditEntry& entry) { noted_.push_back(entry); }};
};

TEST_F(WatchAllowedTest, each_mode_is_for_one_role) {
  EXPECT_EQ(outcome("dns/eu-1/edge", v1::Subscribe::REPLICA), "");
  EXPECT_EQ(outcome("dns/eu-1/edge", v1::Subscribe::MODE_UNSPECIFIED), "");
  EXPECT_EQ(outcome("federation/eu-1/f2", v1::Subscribe::SIBLING), "");
  EXPECT_EQ(outcome("dns/us-1/edge", v1::Subscribe::REPLICA),
            "dns us-1/edge may not watch as a replica (rule own-cluster)");
  EXPECT_EQ(outcome("node/eu-1/n1", v1::Subscribe::REPLICA), "node eu-1/n1 may not watch as a replica (rule role-dns)");
  EXPECT_EQ(outcome("federation/us-1/f1", v1::Subscribe::REPLICA),
            "federation us-1/f1 may not watch as a replica (rule role-dns)");
  EXPECT_EQ(outcome("federation/us-1/f1", v1::Subscribe::PEER),
            "federation us-1/f1 may not watch as a peer (rule peers)");
  EXPECT_EQ(outcome("dns/eu-1/edge", v1::Subscribe::SIBLING),
            "dns eu-1/edge may not watch as an instance (rule role-federation)");
  EXPECT_EQ(watchers_.counters().not_allowed, 5U);
  ASSERT_EQ(noted_.size(), 5U);
  EXPECT_EQ(noted_[0].who, "dns us-1/edge");
  EXPECT_EQ(noted_[0].from, "10.0.0.8:1");
  EXPECT_EQ(noted_[0].verb, "watch");
  EXPECT_EQ(noted_[0].refused, "dns us-1/edge may not watch as a replica (rule own-cluster)");
}

}  // namespace
}  // namespace meshdns::federation
