// B8 and B9: what was said once is not taken a second time, and who was replaced does not bring back what it had.
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;

constexpr int kReplays = 10000;
const Identity kOld{.uid = "uid-old", .boot = "boot-old"};
const Identity kNew{.uid = "uid-new", .boot = "boot-new"};

class ReplayTest : public FederationTest {
 protected:
  /// What an agent has said in its session: "a" failing, then serving, then gone.
  std::vector<v1::AgentMessage> recorded_stream() {
    std::vector<v1::AgentMessage> out;
    FakeAgent& agent = connect();
    agent.hello();
    const auto say = [&](v1::AgentMessage message) {
      agent.say(message);
      out.push_back(std::move(message));
    };
    v1::AgentMessage failing = agent.message();
    failing.mutable_delta()->add_upserts(encoded({.key = "a", .state = model::HealthState::Failing}));
    say(std::move(failing));
    v1::AgentMessage serving = agent.message();
    serving.mutable_delta()->add_upserts(encoded({.key = "a"}));
    say(std::move(serving));
    v1::AgentMessage gone = agent.message();
    gone.mutable_delta()->add_removals()->set_key("a");
    say(std::move(gone));
    agent.end();
    return out;
  }
};

TEST_F(ReplayTest, B8_nothing_of_10000_replays_is_applied_and_each_is_counted) {
  const auto recorded = recorded_stream();
  connected({{.key = "b"}}).end();
  const auto before = catalog_.records().endpoints;
  const auto revision = catalog_.revision();
  const auto errors = agents_.counters().protocol_errors;
  for (int i = 0; i < kReplays; ++i) {
    FakeAgent replayer(agents_);
    // in a session of its own, as one who has also recorded the Hello; or without any
    if (i % 2 == 0) replayer.hello();
    for (std::size_t j = 0; j < recorded.size(); ++j) {
      replayer.say(recorded[(static_cast<std::size_t>(i) + j) % recorded.size()]);
    }
    ASSERT_TRUE(replayer.port().closed);
    ASSERT_EQ(replayer.heard().goodbye().reason(), v1::Goodbye::PROTOCOL_ERROR);
    replayer.end();
  }
  EXPECT_EQ(agents_.counters().protocol_errors - errors, static_cast<std::uint64_t>(kReplays));
  EXPECT_EQ(catalog_.revision(), revision);
  EXPECT_TRUE(catalog_.records().endpoints == before);
}

TEST_F(ReplayTest, B8_a_live_session_takes_no_message_twice) {
  for (int i = 0; i < 100; ++i) {
    FakeAgent& agent = connect();
    agent.hello();
    v1::AgentMessage message = agent.message();
    message.mutable_delta()->add_upserts(encoded({.key = "a"}));
    agent.say(message);
    agent.delta({}, {"a"});
    agent.say(message);
    EXPECT_TRUE(agent.port().closed);
    EXPECT_THAT(keys(), ElementsAre());
    agent.end();
  }
}

TEST_F(ReplayTest, B9_the_endpoints_of_a_replaced_machine_never_return) {
  FakeAgent& zombie = connected({{.key = "old"}}, kOld);  // and its machine is frozen
  FakeAgent& machine = connect();
  machine.hello(kNew);
  advance(ReportSession::kProofOfLife);
  ASSERT_TRUE(machine.welcomed());
  machine.full({encoded({.key = "new"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new"));
  // it wakes: first on its old stream, then on new ones, for as long as it likes
  zombie.delta({encoded({.key = "old"})});
  zombie.full({encoded({.key = "old"})});
  zombie.end();
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new"));
  for (int i = 0; i < 50; ++i) {
    FakeAgent& again = connect();
    again.hello(kOld, digest_of({{.key = "old"}}), machine.epoch() + 7);
    again.delta({encoded({.key = "old"})});
    machine.heartbeat(digest_of({{.key = "new"}}));
    advance(ReportSession::kProofOfLife);
    EXPECT_FALSE(again.welcomed());
    EXPECT_TRUE(again.port().closed);
    again.end();
    EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new"));
  }
  EXPECT_FALSE(machine.port().closed);
}

// The identity is of the installation and the boot: a machine that only restarted is the same.
TEST_F(ReplayTest, B9_a_name_that_is_used_again_begins_with_what_its_new_machine_has) {
  connected({{.key = "old"}}, kOld).end();
  FakeAgent& machine = connect();
  machine.hello(kNew);
  ASSERT_TRUE(machine.welcomed());
  EXPECT_TRUE(machine.heard().welcome().want_full());
  machine.full({encoded({.key = "new"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new"));
}

}  // namespace
}  // namespace meshdns::federation
