// A frozen mesh as agents see it: nothing is different for them.
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using enum model::HealthState;

class FreezeTest : public FederationTest {
 protected:
  void freeze() {
    model::Override word;
    word.meta.name = "freeze";
    word.action = model::Action::Freeze;
    word.reason = "incident";
    catalog_.put_override(word, clock_.now());
  }
  void thaw() { catalog_.erase_override("freeze", clock_.now()); }
  static bool was_asked_for_a_full(FakeAgent& agent) {
    return std::ranges::any_of(agent.port().sent, [](const auto& reply) { return reply.has_send_full(); });
  }
};

TEST_F(FreezeTest, reports_are_acknowledged_and_held) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  freeze();
  agent.delta({encoded({.key = "a", .state = Failing}), encoded({.key = "c"})}, {"b"});
  EXPECT_EQ(agent.heard().ack().sequence(), 2U);
  EXPECT_THAT(agent.heard().ack().nacks(), IsEmpty());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
  EXPECT_EQ(record("eu-1/n1/a").health.state, Serving);
  agent.heartbeat(digest_of({{.key = "a", .state = Failing}, {.key = "c"}}));
  EXPECT_FALSE(was_asked_for_a_full(agent)) << "it is known what it has";
  thaw();
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/c"));
  EXPECT_EQ(record("eu-1/n1/a").health.state, Failing);
}

// Guards a withdrawal that waits: the record was taken for one that its source does not know, and a Full asked for each
// time.
TEST_F(FreezeTest, what_was_withdrawn_is_not_asked_for_again) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  freeze();
  agent.delta({}, {"b"});
  v1::AgentMessage message = agent.message();
  message.mutable_delta()->add_upserts(encoded({.key = "a", .weight = 2}));
  auto& source = *message.mutable_delta()->add_sources();
  source.set_name("files");
  source.set_listed(true);
  agent.say(message);
  EXPECT_FALSE(was_asked_for_a_full(agent));
}

// Guards a node that is only known, not shown: it was taken for forgotten, its session ended every ten seconds.
TEST_F(FreezeTest, a_node_that_comes_while_the_mesh_is_frozen_keeps_its_session) {
  freeze();
  FakeAgent& agent = connected({{.key = "a"}});
  agents_.forget(1h);
  EXPECT_FALSE(agent.port().closed);
  EXPECT_EQ(agents_.leases().size(), 1U);
  EXPECT_THAT(catalog_.records().nodes, IsEmpty());
  agent.end();
  FakeAgent& again = connect();
  again.hello({}, digest_of({{.key = "a"}}));
  EXPECT_FALSE(again.heard().welcome().want_full());
  thaw();
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

// Guards a node that was heard again: a brake that let it go wrote what is shown over what is held.
TEST_F(FreezeTest, what_brakes_say_of_deletions_does_not_bring_silence_back) {
  connected({{.key = "a"}}).end();
  advance(70s);
  ASSERT_TRUE(status().silent);
  model::NodeStatus braked = status();
  braked.held = "zone";
  catalog_.set_status("eu-1/n1", braked, clock_.now());
  freeze();
  connect().hello({}, digest_of({{.key = "a"}}));
  agents_.forget(1h);
  EXPECT_TRUE(status().silent);
  thaw();
  EXPECT_FALSE(status().silent);
}

TEST_F(FreezeTest, a_leave_is_held_too) {
  FakeAgent& agent = connected({{.key = "a"}});
  freeze();
  agent.leave(true);
  EXPECT_EQ(agent.heard().ack().sequence(), 2U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  thaw();
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_THAT(catalog_.records().nodes, IsEmpty());
}

TEST_F(FreezeTest, silence_and_forgetting_are_held_and_their_time_goes_on) {
  connected({{.key = "a"}}, {.node = "n1"}).end();
  FakeAgent& lively = connected({{.key = "a"}}, {.node = "n2"});
  freeze();
  advance_with(lively, 2h, digest_of({{.key = "a"}}));
  catalog_.forget(1h, clock_.now());
  EXPECT_EQ(status("eu-1/n1"), model::NodeStatus{});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n2/a"));
  EXPECT_EQ(catalog_.held(), 1U);
  thaw();
  EXPECT_TRUE(status("eu-1/n1").silent);
  catalog_.forget(1h, clock_.now());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n2/a"));
}

}  // namespace
}  // namespace meshdns::federation
