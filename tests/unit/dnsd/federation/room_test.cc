// C3: more records than there may be are refused by name; what is there stays, and goes on changing.
#include "tests/unit/dnsd/federation/federation_fixture.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

using RoomTest = FederationTest;

TEST_F(RoomTest, C3_a_federation_refuses_endpoints_beyond_its_room) {
  catalog_.set_capacity(5);  // the node, a service, three endpoints
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}, {.key = "c"}, {.key = "d"}});
  EXPECT_LE(catalog_.size(), 5U);
  EXPECT_TRUE(catalog_.full());
  const auto taken = keys();
  ASSERT_GE(taken.size(), 2U);
  ASSERT_EQ(agent.heard().ack().nacks_size(), 4 - static_cast<int>(taken.size()));
  EXPECT_THAT(agent.heard().ack().nacks(0).reason(), testing::HasSubstr("no room"));
  agent.delta({encoded({.key = "a", .state = model::HealthState::Failing}), encoded({.key = "e"})});
  EXPECT_EQ(record("eu-1/n1/a").health.state, model::HealthState::Failing) << "what is there goes on changing";
  EXPECT_EQ(keys(), taken);
  agent.full({encoded({.key = "d"})});
  EXPECT_FALSE(catalog_.full());
  agent.delta({encoded({.key = "e"})});
  EXPECT_THAT(keys(), testing::Contains("eu-1/n1/e"));
}

// Names of nodes are free: without the bound, one peer that says another name in each Hello fills the catalog.
TEST_F(RoomTest, a_federation_refuses_nodes_beyond_its_room) {
  catalog_.set_capacity(5);
  connected({{.key = "a"}, {.key = "b"}});
  FakeAgent& other = connect();
  other.hello({.node = "n2"});
  ASSERT_TRUE(other.heard().has_goodbye());
  EXPECT_EQ(other.heard().goodbye().reason(), v1::Goodbye::OVERLOADED);
  EXPECT_THAT(other.heard().goodbye().message(), testing::HasSubstr("dns.max_records"));
  EXPECT_EQ(other.heard().goodbye().retry_after().seconds(), 60);
  EXPECT_TRUE(catalog_.full());
  EXPECT_FALSE(catalog_.records().nodes.contains("eu-1/n2"));
  FakeAgent& again = connect();
  again.hello();
  EXPECT_TRUE(again.welcomed()) << "a node that is there goes on";
  catalog_.set_capacity(100);
  FakeAgent& later = connect();
  later.hello({.node = "n2"});
  EXPECT_TRUE(later.welcomed());
}

class ReplicaRoomTest : public testing::Test {
 protected:
  Link& connect() { return *links_.emplace_back(std::make_unique<Link>(federation_, subscriber_)); }

  SimClock clock_;
  Federation federation_{clock_};
  Subscriber subscriber_{clock_};
  std::vector<std::unique_ptr<Link>> links_;
};

TEST_F(ReplicaRoomTest, C3_a_replica_takes_what_fits_and_all_when_there_is_room) {
  subscriber_.catalog.set_capacity(100);
  federation_.report(300);
  Link& link = connect();
  link.carry();
  EXPECT_LE(subscriber_.catalog.size(), 100U);
  EXPECT_GE(subscriber_.keys().size(), 90U);
  EXPECT_TRUE(subscriber_.catalog.full());
  EXPECT_FALSE(link.closed_by_subscriber());
  std::vector<std::string> gone;
  for (int i = 50; i < 300; ++i) gone.push_back("eu-1/n1/" + std::to_string(i));
  federation_.withdraw(gone);
  federation_.watchers().changed();
  link.carry();
  EXPECT_FALSE(subscriber_.catalog.full());
  EXPECT_TRUE(link.closed_by_subscriber()) << "it asks for everything: it knows not what it lacks";
  links_.clear();
  Link& again = connect();
  again.carry();
  EXPECT_THAT(again.story(), ElementsAre("snapshot"));
  EXPECT_THAT(subscriber_.keys(), SizeIs(50));
  EXPECT_FALSE(again.closed_by_subscriber());
  expect_follows(federation_, subscriber_);
}

}  // namespace
}  // namespace meshdns::federation
