// What the catalog has of a node and its agent does not check, or does not know that it is missing.
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using enum model::HealthState;

constexpr const char* kTypo = "endpoints.d: app-b.yaml:7:5: adress: unknown field";

class CoverageTest : public FederationTest {
 protected:
  /// A message with the state of the source "files".
  static void add_source(google::protobuf::RepeatedPtrField<v1::Source>& out, const std::string& error) {
    v1::Source& source = *out.Add();
    source.set_name("files");
    source.set_listed(error.empty());
    source.set_error(error);
  }
  static void full(FakeAgent& agent, const std::vector<Sample>& samples, const std::string& error = "") {
    v1::AgentMessage message = agent.message();
    message.mutable_full()->set_last(true);
    for (const Sample& sample : samples) message.mutable_full()->add_endpoints(encoded(sample));
    add_source(*message.mutable_full()->mutable_sources(), error);
    agent.say(message);
  }
  static void sources(FakeAgent& agent, const std::string& error) {
    v1::AgentMessage message = agent.message();
    add_source(*message.mutable_delta()->mutable_sources(), error);
    agent.say(message);
  }
  /// An agent that has restarted and cannot read what it has told before.
  FakeAgent& restarted_blind(const Identity& who = {}) {
    FakeAgent& agent = connect();
    agent.hello({who.node, who.uid, "boot-2", who.cluster, who.place});
    full(agent, {}, kTypo);
    return agent;
  }
};

TEST_F(CoverageTest, endpoints_that_a_restarted_agent_cannot_read_are_in_doubt_at_once_and_last_resort_after_a_lease) {
  connected({{.key = "a"}, {.key = "b"}}).end();
  FakeAgent& agent = restarted_blind();
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b")) << "silence is not death";
  EXPECT_TRUE(record("eu-1/n1/a").unwatched);
  EXPECT_EQ(status().problem, "does not read endpoints.d: app-b.yaml:7:5: adress: unknown field");
  EXPECT_FALSE(status().unwatched);
  advance_with(agent, 9s, 0);
  EXPECT_FALSE(status().unwatched);
  advance_with(agent, 2s, 0);
  EXPECT_TRUE(status().unwatched) << "connected is no sign of health";
  EXPECT_FALSE(status().silent);
  EXPECT_EQ(agents_.coverage().lapsed(), 1U);
}

TEST_F(CoverageTest, what_is_read_again_is_watched_with_its_first_result) {
  connected({{.key = "a"}}).end();
  FakeAgent& agent = restarted_blind();
  advance_with(agent, 11s, 0);
  sources(agent, "");
  EXPECT_TRUE(agent.heard().has_send_full());
  full(agent, {{.key = "a", .state = Pending}});
  EXPECT_EQ(record("eu-1/n1/a").health.state, Serving);
  EXPECT_TRUE(record("eu-1/n1/a").unwatched) << "listed, but not checked yet";
  EXPECT_EQ(status().problem, "");
  agent.delta({encoded({.key = "a"})});
  EXPECT_FALSE(record("eu-1/n1/a").unwatched);
  advance_with(agent, 2 * Coverage::kPause, digest_of({{.key = "a"}}));
  EXPECT_EQ(status(), model::NodeStatus{});
  EXPECT_EQ(agents_.coverage().lapsed(), 0U);
}

TEST_F(CoverageTest, a_problem_of_a_running_agent_is_told_and_its_endpoints_stay_watched) {
  FakeAgent& agent = connected({{.key = "a"}});
  sources(agent, kTypo);
  advance_with(agent, 20s, digest_of({{.key = "a"}}));
  EXPECT_THAT(status().problem, HasSubstr("app-b.yaml:7:5"));
  EXPECT_FALSE(status().unwatched);
  EXPECT_FALSE(record("eu-1/n1/a").unwatched);
  agent.end();
  connect().hello({}, digest_of({{.key = "a"}}));
  EXPECT_THAT(status().problem, HasSubstr("app-b.yaml:7:5")) << "a new session alone has read nothing";
}

TEST_F(CoverageTest, a_brake_holds_the_endpoints_of_many_agents_that_read_nothing_at_once) {
  std::vector<FakeAgent*> agents;
  for (const char* node : {"n1", "n2", "n3", "n4"}) connected({{.key = "a"}}, {.node = node}).end();
  for (const char* node : {"n1", "n2", "n3", "n4"}) agents.push_back(&restarted_blind({.node = node}));
  for (int second = 0; second < 15; ++second) {
    advance(1s);
    for (FakeAgent* agent : agents) agent->heartbeat(0);
  }
  EXPECT_FALSE(status().unwatched);
  EXPECT_EQ(status().held, Brakes::kOverall);
  for (FakeAgent* agent : agents) full(*agent, {{.key = "a"}});
  advance(1s);
  EXPECT_EQ(status(), model::NodeStatus{});
}

TEST_F(CoverageTest, a_refused_version_tells_the_health_of_the_kept_one_if_both_are_of_one_address) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  const std::string failing = encoded({.key = "a", .state = Failing, .weight = 70000});
  agent.delta({failing, encoded({.key = "b", .weight = 70000, .port = 9090})});
  ASSERT_EQ(agent.heard().ack().nacks_size(), 2);
  EXPECT_EQ(record("eu-1/n1/a").health.state, Failing);
  EXPECT_EQ(record("eu-1/n1/a").weight, 1U);
  EXPECT_FALSE(record("eu-1/n1/a").unwatched);
  EXPECT_TRUE(record("eu-1/n1/b").unwatched) << "the agent checks port 9090, and the record is of another one";
}

TEST_F(CoverageTest, what_was_forgotten_of_a_node_that_stays_is_asked_for) {
  connected({{.key = "a", .service = "web"}, {.key = "b", .service = "only"}}, {.node = "n1"}).end();
  FakeAgent& other = connected({{.key = "a", .service = "web"}}, {.node = "n2"});
  for (int second = 0; second < 200; ++second) {
    advance(1s);
    other.heartbeat(digest_of({{.key = "a", .service = "web"}}));
  }
  agents_.forget(90s);
  ASSERT_THAT(keys(), ElementsAre("eu-1/n1/b", "eu-1/n2/a")) << "the last endpoint of a service stays";
  FakeAgent& back = connect();
  back.hello({.node = "n1"}, digest_of({{.key = "a", .service = "web"}, {.key = "b", .service = "only"}}));
  EXPECT_TRUE(back.heard().welcome().want_full());
}

TEST_F(CoverageTest, what_goes_while_a_session_is_open_is_asked_for_at_once) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/a"}, clock_.now());  // not the agent's own word
  advance(250ms);
  EXPECT_TRUE(agent.heard().has_send_full());
}

TEST_F(CoverageTest, the_agents_own_removals_are_not_asked_for) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  agent.delta({}, {"a"});
  advance(1s);
  EXPECT_TRUE(agent.heard().has_ack());
}

TEST_F(CoverageTest, what_had_no_room_is_asked_for_when_there_is_some) {
  catalog_.set_capacity(8);
  FakeAgent& first = connected({{.key = "a"}, {.key = "b"}, {.key = "c"}});
  FakeAgent& second = connected({{.key = "x"}, {.key = "y"}}, {.node = "n2"});
  ASSERT_TRUE(catalog_.full());
  advance(1s);
  EXPECT_TRUE(second.heard().has_ack()) << "there is no room yet";
  first.delta({}, {"a", "b", "c"});
  advance(250ms);
  ASSERT_TRUE(second.heard().has_send_full());
  full(second, {{.key = "x"}, {.key = "y"}});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n2/x", "eu-1/n2/y"));
  advance(1s);
  EXPECT_TRUE(second.heard().has_ack()) << "nothing is missing any more";
}

TEST_F(CoverageTest, room_that_comes_while_the_agent_is_away_makes_the_next_session_ask) {
  catalog_.set_capacity(8);
  FakeAgent& first = connected({{.key = "a"}, {.key = "b"}, {.key = "c"}});
  FakeAgent& second = connected({{.key = "x"}, {.key = "y"}}, {.node = "n2"});
  second.end();
  first.delta({}, {"a", "b", "c"});
  advance(250ms);
  FakeAgent& back = connect();
  back.hello({.node = "n2"}, digest_of({{.key = "x"}, {.key = "y"}}));
  EXPECT_TRUE(back.heard().welcome().want_full());
}

TEST_F(CoverageTest, an_endpoint_stays_until_what_replaces_it_is_published) {
  connected({{.key = "old"}}).end();
  FakeAgent& agent = connect();
  agent.hello({.boot = "boot-2"});
  full(agent, {{.key = "new", .state = Pending}});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new", "eu-1/n1/old"));
  EXPECT_EQ(record("eu-1/n1/old").health.state, Serving);
  EXPECT_TRUE(record("eu-1/n1/old").unwatched);
  agent.delta({encoded({.key = "new"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new"));
}

TEST_F(CoverageTest, a_replacement_that_never_comes_is_not_waited_for_without_end) {
  connected({{.key = "old"}}).end();
  FakeAgent& agent = connect();
  agent.hello({.boot = "boot-2"});
  full(agent, {{.key = "new", .state = Pending}});
  const std::uint64_t digest = digest_of({{.key = "new", .state = Pending}});
  advance_with(agent, Coverage::kReplacement - 2s, digest);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new", "eu-1/n1/old"));
  EXPECT_TRUE(status().unwatched) << "nobody checks it meanwhile";
  advance_with(agent, 4s, digest);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/new"));
}

TEST_F(CoverageTest, an_endpoint_that_nothing_replaces_goes_at_once) {
  connected({{.key = "old"}, {.key = "other", .service = "api"}}).end();
  FakeAgent& agent = connect();
  agent.hello({.boot = "boot-2"});
  full(agent,
       {{.key = "other", .service = "api", .state = Pending}, {.key = "more", .service = "db", .state = Pending}});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/more", "eu-1/n1/other"));
}

TEST_F(CoverageTest, what_an_agent_says_of_its_sources_is_short_and_plain) {
  FakeAgent& agent = connected({{.key = "a"}});
  sources(agent, "endpoints.d: a.yaml:1:1: \x1b[31mred\nendpoints.d: b.yaml: no\nendpoints.d: c.yaml: no");
  EXPECT_EQ(status().problem, "does not read endpoints.d: a.yaml:1:1:  [31mred (and 2 more)");
  sources(agent, std::string(100000, 'x'));
  EXPECT_LT(status().problem.size(), 400U);
}

}  // namespace
}  // namespace meshdns::federation
