// Two agents that claim one node.
#include "common/identity/gate.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;

const Identity kOther{.uid = "uid-2"};
const Identity kRebooted{.boot = "boot-2"};

using ContentionTest = FederationTest;

TEST_F(ContentionTest, the_same_holder_replaces_its_old_stream_without_a_question) {
  FakeAgent& old = connected({{.key = "a"}});
  FakeAgent& next = connect();
  next.hello({}, digest_of({{.key = "a"}}));
  EXPECT_TRUE(next.welcomed());
  EXPECT_FALSE(next.heard().welcome().want_full());
  EXPECT_EQ(old.heard().goodbye().reason(), v1::Goodbye::REPLACED);
  EXPECT_TRUE(old.port().closed);
  old.end();
  EXPECT_TRUE(agents_.is_connected("eu-1/n1"));
  EXPECT_EQ(agents_.connected(), 1U);
}

TEST_F(ContentionTest, a_second_agent_is_refused_if_the_first_answers_the_ping) {
  FakeAgent& first = connected({{.key = "a"}});
  FakeAgent& second = connect();
  second.hello(kOther);
  EXPECT_TRUE(first.heard().has_ping());
  EXPECT_FALSE(second.welcomed());
  advance(500ms);
  first.heartbeat(digest_of({{.key = "a"}}));
  advance(499ms);
  EXPECT_FALSE(second.port().closed);
  advance(1ms);
  ASSERT_EQ(second.heard().goodbye().reason(), v1::Goodbye::ALREADY_EXISTS);
  EXPECT_GE(convert::from_wire(second.heard().goodbye().retry_after()), 10s);
  EXPECT_TRUE(second.port().closed);
  EXPECT_FALSE(first.port().closed);
  second.end();
  EXPECT_TRUE(agents_.is_connected("eu-1/n1"));
}

TEST_F(ContentionTest, what_the_first_said_before_the_ping_is_no_proof) {
  FakeAgent& first = connected({{.key = "a"}});
  first.heartbeat(digest_of({{.key = "a"}}));
  FakeAgent& second = connect();
  second.hello(kOther);
  advance(1s);
  EXPECT_TRUE(second.heard().has_welcome());
}

identity::Caller with_key(const std::string& key) {
  const auto rules = identity::Rules::make({}, "");
  const identity::Gate gate(*rules, {.cluster = "eu-1", .peers = {}, .open = false});
  return *gate.caller(std::vector<std::string>{"spiffe://m/meshdns/node/eu-1/n1"}, key);
}

// Who has copied a node's name, or its ids, has another key: it must not get a live session by asking for it.
TEST_F(ContentionTest, another_key_waits_until_the_holder_would_be_silent) {
  FakeAgent holder(agents_, false, "10.0.0.7", with_key("k1"));
  holder.hello();
  FakeAgent other(agents_, false, "10.0.0.8", with_key("k2"));
  other.hello();  // with the same ids
  EXPECT_FALSE(other.welcomed());
  EXPECT_TRUE(holder.heard().has_ping());
  advance(1s);
  EXPECT_FALSE(other.welcomed());
  holder.heartbeat();
  advance(Leases::kTolerance);
  EXPECT_FALSE(other.welcomed());
  EXPECT_EQ(other.heard().goodbye().reason(), v1::Goodbye::ALREADY_EXISTS);
  FakeAgent third(agents_, false, "10.0.0.8", with_key("k2"));
  third.hello();
  advance(500ms);
  EXPECT_FALSE(third.welcomed());
  advance(Leases::kTolerance);
  EXPECT_TRUE(third.welcomed());  // the holder was not heard any more
}

TEST_F(ContentionTest, the_same_key_and_ids_replace_the_old_stream_at_once) {
  FakeAgent holder(agents_, false, "10.0.0.7", with_key("k1"));
  holder.hello();
  FakeAgent again(agents_, false, "10.0.0.7", with_key("k1"));
  again.hello();
  EXPECT_TRUE(again.welcomed());
}

// Guards a machine that was rebooted: its old stream may stand for minutes, but nobody is behind it.
TEST_F(ContentionTest, a_second_agent_takes_over_from_one_that_does_not_answer) {
  FakeAgent& dead = connected({{.key = "a"}});
  FakeAgent& rebooted = connect();
  rebooted.hello(kRebooted);
  advance(1s);
  ASSERT_TRUE(rebooted.heard().has_welcome());
  EXPECT_EQ(dead.heard().goodbye().reason(), v1::Goodbye::REPLACED);
  dead.heartbeat();  // too late
  dead.delta({encoded({.key = "b"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  dead.end();
  EXPECT_TRUE(agents_.is_connected("eu-1/n1"));
}

TEST_F(ContentionTest, a_stream_that_ends_while_it_is_asked_gives_way) {
  FakeAgent& first = connected({});
  FakeAgent& second = connect();
  second.hello(kOther);
  first.heartbeat();
  first.end();
  advance(1s);
  EXPECT_TRUE(second.heard().has_welcome());
}

TEST_F(ContentionTest, a_contender_may_go_while_it_waits) {
  FakeAgent& first = connected({{.key = "a"}});
  FakeAgent& second = connect();
  second.hello(kOther);
  second.end();
  advance(2s);
  EXPECT_FALSE(second.heard().has_welcome());
  EXPECT_FALSE(first.port().closed);
  EXPECT_TRUE(agents_.is_connected("eu-1/n1"));
  EXPECT_EQ(agents_.open_streams(), 1U);
}

TEST_F(ContentionTest, a_contender_says_nothing_while_it_waits) {
  connected({{.key = "a"}});
  FakeAgent& second = connect();
  second.hello(kOther);
  second.delta({encoded({.key = "b"})});
  EXPECT_EQ(second.heard().goodbye().reason(), v1::Goodbye::PROTOCOL_ERROR);
  advance(2s);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

TEST_F(ContentionTest, of_two_contenders_the_second_asks_the_first) {
  connected({});
  FakeAgent& second = connect();
  second.hello(kOther);
  advance(500ms);
  FakeAgent& third = connect();
  third.hello({.uid = "uid-3"});
  advance(500ms);
  ASSERT_TRUE(second.heard().has_welcome());
  advance(500ms);
  EXPECT_FALSE(second.port().closed) << "it had no time to show that it lives";
  EXPECT_TRUE(second.heard().has_ping());
}

TEST_F(ContentionTest, other_nodes_do_not_contend) {
  FakeAgent& first = connected({{.key = "a"}});
  FakeAgent& second = connected({{.key = "a"}}, {.node = "n2", .uid = "uid-2"});
  EXPECT_TRUE(second.welcomed());
  EXPECT_FALSE(first.port().closed);
  EXPECT_EQ(agents_.connected(), 2U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n2/a"));
}

}  // namespace
}  // namespace meshdns::federation
