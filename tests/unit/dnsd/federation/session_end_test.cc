// How sessions end: leave, stop, silence, the federation's own end, and an agent's restart.
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using enum model::HealthState;

using SessionEndTest = FederationTest;

TEST_F(SessionEndTest, leave_with_withdrawal_is_gone_at_once) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.leave(true);
  EXPECT_EQ(agent.heard().ack().sequence(), 2U);
  EXPECT_TRUE(agent.port().closed);
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(catalog_.records().nodes, IsEmpty());
  EXPECT_EQ(agents_.leases().size(), 0U);
  agent.end();
  advance(10min);
  EXPECT_THAT(catalog_.records().statuses, IsEmpty());
  FakeAgent& back = connect();
  back.hello();
  EXPECT_TRUE(back.heard().welcome().want_full());
}

TEST_F(SessionEndTest, stop_leaves_the_records_to_the_lease) {
  FakeAgent& agent = connected({{.key = "a"}});
  advance_with(agent, Leases::kGrace, digest_of({{.key = "a"}}));
  agent.leave(false);
  EXPECT_TRUE(agent.port().closed);
  agent.end();
  EXPECT_FALSE(agents_.is_connected("eu-1/n1"));
  EXPECT_EQ(agents_.open_streams(), 0U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  advance(9750ms);
  EXPECT_FALSE(status().silent);
  advance(250ms);
  EXPECT_TRUE(status().silent);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

TEST_F(SessionEndTest, any_message_ends_silence) {
  FakeAgent& agent = connected({{.key = "a"}});
  advance(70s);
  EXPECT_TRUE(status().silent);
  agent.heartbeat(digest_of({{.key = "a"}}));
  advance(250ms);
  EXPECT_EQ(status(), model::NodeStatus{});
}

TEST_F(SessionEndTest, a_new_session_ends_silence_at_once) {
  connected({{.key = "a"}}).end();
  advance(70s);
  EXPECT_TRUE(status().silent);
  connect().hello({}, digest_of({{.key = "a"}}));
  EXPECT_EQ(status(), model::NodeStatus{});
}

// heartbeats are spread over all agents: dead ones must not slow down the others for ever
TEST_F(SessionEndTest, a_forgotten_node_is_forgotten_by_all) {
  connected({}).end();
  advance(2h);
  catalog_.forget(1h, clock_.now());
  EXPECT_EQ(agents_.leases().size(), 1U);
  agents_.forget_gone();
  EXPECT_EQ(agents_.leases().size(), 0U);
}

TEST_F(SessionEndTest, a_living_node_is_not_forgotten) {
  FakeAgent& agent = connected({{.key = "a"}});
  agents_.forget_gone();
  EXPECT_EQ(agents_.leases().size(), 1U);
  EXPECT_FALSE(agent.port().closed);
}

// A brake held its removal before the mesh was frozen; it was heard since.
TEST_F(SessionEndTest, a_frozen_mesh_forgets_nobody_and_loses_no_word) {
  FakeAgent& agent = connected({{.key = "a"}});
  advance(2h);
  model::NodeStatus held = status();
  ASSERT_TRUE(held.silent);
  held.held = "sweep";
  catalog_.set_status("eu-1/n1", held, clock_.now());
  model::Override freeze;
  freeze.meta.name = "freeze";
  freeze.action = model::Action::Freeze;
  catalog_.put_override(freeze, clock_.now());
  agent.heartbeat(digest_of({{.key = "a"}}));
  advance(250ms);
  agents_.forget(1h);
  EXPECT_TRUE(status().silent) << "as it was";
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  catalog_.erase_override("freeze", clock_.now());
  EXPECT_EQ(status(), model::NodeStatus{});
}

// its stream is open all the while, and it would think that everything is known
TEST_F(SessionEndTest, an_agent_that_slept_until_it_was_forgotten_begins_anew) {
  FakeAgent& agent = connected({{.key = "a"}});
  FakeAgent& last_of_its_service = connected({{.key = "b"}}, {.node = "n2"});
  advance(2h);
  catalog_.forget(1h, clock_.now());
  agents_.forget_gone();
  EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::FORGOTTEN);
  EXPECT_TRUE(agent.port().closed);
  EXPECT_FALSE(last_of_its_service.port().closed);
}

TEST_F(SessionEndTest, a_federation_that_ends_says_so_and_takes_no_more) {
  FakeAgent& agent = connected({});
  agents_.shut_down();
  EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::SHUTTING_DOWN);
  EXPECT_TRUE(agent.port().closed);
  FakeAgent& late = connect();
  EXPECT_EQ(late.heard().goodbye().reason(), v1::Goodbye::SHUTTING_DOWN);
  EXPECT_GT(convert::from_wire(late.heard().goodbye().retry_after()), 0s);
  EXPECT_EQ(late.port().reads, 0);
  agent.end();
  late.end();
  EXPECT_EQ(agents_.open_streams(), 0U);
}

// Guards against streams that stay for ever because nobody reads the Goodbye.
TEST_F(SessionEndTest, a_peer_that_does_not_read_its_goodbye_is_cut_off) {
  FakeAgent& agent = connected({});
  agent.port().hold_writes = true;
  agents_.shut_down();
  advance(9s);
  EXPECT_FALSE(agent.port().aborted);
  advance(1s);
  EXPECT_TRUE(agent.port().aborted);
}

// ---- an agent's restart ----

class RestartTest : public FederationTest {
 protected:
  /// Reported by an agent that has just started, after so many failures.
  void report_pending(FakeAgent& agent, std::uint32_t streak) {
    agent.delta({encoded({.key = "a", .state = Pending, .streak = streak, .needed = 3})});
  }
};

TEST_F(RestartTest, what_was_published_stays_until_the_new_agent_has_a_verdict) {
  connected({{.key = "a"}}).end();
  FakeAgent& agent = connected({{.key = "a", .state = Pending, .needed = 3}});
  EXPECT_EQ(record("eu-1/n1/a").health.state, Serving);
  report_pending(agent, 1);
  report_pending(agent, 2);
  EXPECT_EQ(record("eu-1/n1/a").health.state, Serving);
  report_pending(agent, 3);
  EXPECT_EQ(record("eu-1/n1/a").health.state, Failing);
  agent.delta({encoded({.key = "a"})});
  EXPECT_EQ(record("eu-1/n1/a").health.state, Serving);
}

TEST_F(RestartTest, what_was_failing_stays_so_until_it_succeeds) {
  connected({{.key = "a", .state = Failing}}).end();
  FakeAgent& agent = connected({{.key = "a", .state = Pending, .needed = 3}});
  EXPECT_EQ(record("eu-1/n1/a").health.state, Failing);
  report_pending(agent, 3);
  EXPECT_EQ(record("eu-1/n1/a").health.state, Failing);
  agent.delta({encoded({.key = "a"})});
  EXPECT_EQ(record("eu-1/n1/a").health.state, Serving);
}

TEST_F(RestartTest, what_was_never_published_stays_pending_whatever_its_failures) {
  FakeAgent& agent = connected({{.key = "a", .state = Pending, .needed = 3}});
  report_pending(agent, 3);
  EXPECT_EQ(record("eu-1/n1/a").health.state, Pending);
}

TEST_F(RestartTest, another_instance_at_the_same_key_starts_anew) {
  connected({{.key = "a", .uid = "pod-1"}}).end();
  connected({{.key = "a", .state = Pending, .uid = "pod-2"}});
  EXPECT_EQ(record("eu-1/n1/a").health.state, Pending);
}

}  // namespace
}  // namespace meshdns::federation
