#include "dnsd/federation/measuring.h"

#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }

/// A federation with one agent in eu-1, which has to measure us-1.
class MeasuringTest : public FederationTest {
 protected:
  void gateways(const std::vector<std::string>& addresses) {
    model::Cluster cluster;
    cluster.meta.name = "us-1";
    for (const auto& address : addresses) {
      cluster.gateways.push_back({ip(address), {{.name = "http", .number = 8080}}});
    }
    catalog_.put_cluster(cluster, clock_.now());
  }
  static std::vector<std::string> keys(const v1::Settings& settings) {
    std::vector<std::string> out;
    for (const auto& target : settings.measure()) out.push_back(target.key());
    return out;
  }
  /// The Settings that an agent was sent since the last call, Welcome's not counted.
  static std::vector<v1::Settings> settings_of(FakeAgent& agent) {
    std::vector<v1::Settings> out;
    for (const auto& reply : agent.port().take()) {
      if (reply.has_settings()) out.push_back(reply.settings());
    }
    return out;
  }
  struct Result {
    std::string key;
    v1::ProbeResult::Outcome outcome = v1::ProbeResult::CONNECTED;
    Duration rtt{};
  };
  static void tell(FakeAgent& agent, const Result& result) {
    v1::AgentMessage message = agent.message();
    v1::ProbeResult& entry = *message.mutable_rtts()->add_results();
    entry.set_key(result.key);
    entry.set_outcome(result.outcome);
    if (result.rtt != Duration::zero()) *entry.mutable_rtt() = convert::to_wire(result.rtt);
    agent.say(message);
  }
  model::ClusterStatus status(const std::string& cluster = "eu-1") const {
    const auto& all = catalog_.records().cluster_statuses;
    const auto found = all.find(cluster);
    return found == all.end() ? model::ClusterStatus{} : found->second;
  }
};

TEST_F(MeasuringTest, an_agent_is_told_its_targets_within_a_second_and_again_with_the_next_welcome) {
  gateways({"10.2.0.1"});
  FakeAgent& agent = connected({});
  advance(1s);
  const auto told = settings_of(agent);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(keys(told[0]), ElementsAre("gateway us-1 10.2.0.1:8080"));
  EXPECT_EQ(told[0].measure(0).address(), std::string("\x0a\x02\x00\x01", 4));
  EXPECT_EQ(told[0].measure(0).port(), 8080U);
  EXPECT_EQ(convert::from_wire(told[0].measure(0).interval()), 5s);
  EXPECT_EQ(convert::from_wire(told[0].heartbeat()), 1s);

  FakeAgent& again = connect();
  again.hello();
  EXPECT_THAT(keys(again.heard().welcome().settings()), ElementsAre("gateway us-1 10.2.0.1:8080"));
}

TEST_F(MeasuringTest, settings_come_only_when_the_targets_change_and_once_a_second_at_most) {
  gateways({"10.2.0.1"});
  FakeAgent& agent = connected({{.key = "a"}});
  advance(1s);
  EXPECT_EQ(settings_of(agent).size(), 1U);
  advance(1min);
  EXPECT_THAT(settings_of(agent), IsEmpty());
  for (int i = 0; i < 10; ++i) {
    gateways({"10.2.0.1", "10.2.0." + std::to_string(10 + i)});
    advance(250ms);
  }
  EXPECT_LE(settings_of(agent).size(), 3U);
  gateways({});
  advance(1s);
  const auto told = settings_of(agent);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(keys(told[0]), IsEmpty());
}

TEST_F(MeasuringTest, endpoints_of_another_cluster_are_measured_less_often) {
  FakeAgent& agent = connected({});
  connected({{.key = "a", .port = 8080}}, {"n1", "uid-2", "boot-2", "us-1"});
  advance(1s);
  const auto told = settings_of(agent);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(keys(told[0]), ElementsAre("endpoint us-1/n1/a"));
  EXPECT_EQ(convert::from_wire(told[0].measure(0).interval()), 30s);
}

TEST_F(MeasuringTest, what_is_measured_becomes_the_clusters_record) {
  gateways({"10.2.0.1"});
  FakeAgent& agent = connected({});
  advance(1s);
  tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::CONNECTED, 80ms});
  advance(1s);
  EXPECT_THAT(status().distances, ElementsAre(Pair("us-1", 80ms)));
  const auto revision = catalog_.revision();
  for (int i = 0; i < 20; ++i) {
    tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::CONNECTED, 82ms});
    advance(1s);
  }
  EXPECT_EQ(catalog_.revision(), revision) << "nobody hears of what the hysteresis holds back";
  EXPECT_EQ(agents_.measuring().results(), 21U);
}

TEST_F(MeasuringTest, results_for_what_was_not_asked_are_not_taken) {
  gateways({"10.2.0.1"});
  FakeAgent& agent = connected({});
  advance(1s);
  tell(agent, {"gateway us-1 10.2.0.9:8080", v1::ProbeResult::CONNECTED, 80ms});
  tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::SKIPPED, 80ms});
  tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::OUTCOME_UNSPECIFIED, 80ms});
  tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::CONNECTED, -1s});
  advance(1s);
  EXPECT_TRUE(status().empty());
  EXPECT_EQ(agents_.measuring().results(), 1U);
}

TEST_F(MeasuringTest, a_gateway_that_refuses_is_down_until_it_answers) {
  gateways({"10.2.0.1", "10.2.0.2"});
  FakeAgent& agent = connected({});
  advance(1s);
  for (const auto outcome : {v1::ProbeResult::REFUSED, v1::ProbeResult::TIMEOUT, v1::ProbeResult::NO_ROUTE}) {
    EXPECT_THAT(status().gateways_down, IsEmpty());
    tell(agent, {"gateway us-1 10.2.0.1:8080", outcome});
    tell(agent, {"gateway us-1 10.2.0.2:8080", v1::ProbeResult::CONNECTED, 80ms});
    advance(1s);
  }
  EXPECT_THAT(status().gateways_down, ElementsAre(ip("10.2.0.1")));
  for (int i = 0; i < 2; ++i) tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::CONNECTED, 80ms});
  advance(1s);
  EXPECT_THAT(status().gateways_down, IsEmpty());
}

TEST_F(MeasuringTest, nothing_heard_for_ten_minutes_is_nothing_known) {
  gateways({"10.2.0.1"});
  FakeAgent& agent = connected({});
  advance(1s);
  tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::CONNECTED, 80ms});
  advance_with(agent, 10min, 0);
  EXPECT_FALSE(status().empty());
  advance_with(agent, 2s, 0);
  EXPECT_FALSE(catalog_.records().cluster_statuses.contains("eu-1"));
}

// A federation that was restarted has the record from its store.
TEST_F(MeasuringTest, a_restart_keeps_what_was_published) {
  model::ClusterStatus before;
  before.distances["us-1"] = 80ms;
  before.gateways_down = {ip("10.2.0.1")};
  catalog_.set_cluster_status("eu-1", before, clock_.now());
  gateways({"10.2.0.1"});
  FakeAgent& agent = connected({});
  advance_with(agent, 5min, 0);
  EXPECT_EQ(status(), before);
  tell(agent, {"gateway us-1 10.2.0.1:8080", v1::ProbeResult::CONNECTED, 81ms});
  advance(1s);
  EXPECT_EQ(status(), before) << "one success is no recovery";
}

TEST_F(MeasuringTest, another_agent_takes_over) {
  gateways({"10.2.0.1"});
  std::vector<FakeAgent*> all;
  for (int i = 0; i < 4; ++i) all.push_back(&connected({}, {"n" + std::to_string(i), "uid", "boot"}));
  advance(1s);
  EXPECT_EQ(agents_.measuring().targets(), 3U);
  FakeAgent* idle = nullptr;
  FakeAgent* busy = nullptr;
  for (FakeAgent* agent : all) (settings_of(*agent).empty() ? idle : busy) = agent;
  ASSERT_NE(idle, nullptr);
  busy->end();
  advance(1s);
  const auto told = settings_of(*idle);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(keys(told[0]), ElementsAre("gateway us-1 10.2.0.1:8080"));
}

}  // namespace
}  // namespace meshdns::federation
