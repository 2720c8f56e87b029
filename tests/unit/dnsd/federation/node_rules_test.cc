// What the nodes may report by the rules of their cluster: in a session, and when a rule changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class NodeRulesTest : public FederationTest {
 protected:
  explicit NodeRulesTest(bool identities = true) : FederationTest(identities) { cluster_.meta.name = "eu-1"; }

  void apply(const std::function<void(model::Cluster&)>& change) {
    change(cluster_);
    ASSERT_FALSE(catalog_.put_cluster(cluster_, clock_.now()));
  }
  static Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }
  const model::Node& node(const std::string& name) { return catalog_.records().nodes.at("eu-1/" + name); }
  std::vector<std::string> prefixes_of(const std::string& name) {
    std::vector<std::string> out;
    for (const Prefix& each : node(name).prefixes) out.push_back(each.text());
    return out;
  }
  /// The refusals in the last acknowledgement.
  static std::vector<v1::Nack> nacks(const FakeAgent& agent) {
    return {agent.heard().ack().nacks().begin(), agent.heard().ack().nacks().end()};
  }

  model::Cluster cluster_;
  const Identity n1_{.addresses = {"10.0.0.11"}, .prefixes = {"10.244.1.0/24"}};
  const Identity n2_{.node = "n2", .addresses = {"10.0.0.12"}, .prefixes = {"10.244.2.0/24"}};
};

TEST_F(NodeRulesTest, endpoints_are_where_their_node_is) {
  FakeAgent& agent = connected({{.key = "own"}, {.key = "pod", .address = "10.244.1.9"}}, n1_);
  EXPECT_THAT(nacks(agent), IsEmpty());
  agent.delta({encoded({.key = "other", .address = "10.0.0.12"}), encoded({.key = "third", .address = "10.244.1.8"})});
  ASSERT_EQ(nacks(agent).size(), 1U);
  EXPECT_EQ(nacks(agent)[0].key(), "other");
  EXPECT_EQ(nacks(agent)[0].code(), v1::Nack::NOT_ALLOWED);
  EXPECT_EQ(nacks(agent)[0].field(), "addresses[0]");
  EXPECT_EQ(nacks(agent)[0].reason(),
            "10.0.0.12: it is neither an address of node n1 nor inside its prefixes (rule own-address)");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/own", "eu-1/n1/pod", "eu-1/n1/third"));
}

TEST_F(NodeRulesTest, every_address_of_an_endpoint_is_looked_at) {
  model::Endpoint two;
  two.key = "two";
  two.source = "files";
  two.namespace_ = "shop";
  two.service = "web";
  two.addresses = {IpAddress::parse("10.0.0.11").value(), IpAddress::parse("10.0.0.12").value()};
  FakeAgent& agent = connected({}, n1_);
  agent.delta({convert::to_wire(two, TimePoint{}).SerializeAsString()});
  ASSERT_EQ(nacks(agent).size(), 1U);
  EXPECT_EQ(nacks(agent)[0].field(), "addresses[1]");
}

TEST_F(NodeRulesTest, a_forbidden_claim_is_dropped_and_told_after_welcome) {
  Identity who = n1_;
  who.prefixes = {"0.0.0.0/0", "10.244.1.0/24"};
  FakeAgent& agent = connect();
  agent.hello(who);
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("10.244.1.0/24"));
  ASSERT_EQ(nacks(agent).size(), 1U);
  EXPECT_EQ(nacks(agent)[0].type(), "Node");
  EXPECT_EQ(nacks(agent)[0].field(), "prefixes[0]");
  EXPECT_THAT(nacks(agent)[0].reason(), HasSubstr("(rule wide-prefix)"));
  agent.full({encoded({.key = "own"})});
  EXPECT_THAT(nacks(agent), IsEmpty());
}

// A refused claim is no refused record: what the Full does not list is withdrawn all the same.
TEST_F(NodeRulesTest, a_forbidden_claim_does_not_keep_what_a_full_no_longer_lists) {
  connected({{.key = "a"}, {.key = "b"}}, n1_);
  Identity who = n1_;
  who.prefixes = {"0.0.0.0/0"};
  connected({{.key = "b"}}, who);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/b"));
}

TEST_F(NodeRulesTest, who_comes_later_takes_no_prefix_and_no_address_away) {
  connected({}, n1_);
  Identity thief = n2_;
  thief.addresses = {"10.0.0.12", "10.0.0.11"};
  thief.prefixes = {"10.244.0.0/16", "10.244.1.0/25", "10.0.0.11/32", "10.244.2.0/24"};
  connected({}, thief);
  EXPECT_THAT(prefixes_of("n2"), ElementsAre("10.244.2.0/24"));
  EXPECT_EQ(node("n2").addresses.size(), 1U);
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("10.244.1.0/24"));
}

// The one who claims everything first must not shut the others out.
TEST_F(NodeRulesTest, an_address_beats_a_prefix_that_came_before) {
  Identity greedy = n2_;
  greedy.prefixes = {"10.0.0.0/8"};
  FakeAgent& thief = connected({{.key = "x", .address = "10.7.7.7"}}, greedy);
  EXPECT_THAT(prefixes_of("n2"), ElementsAre("10.0.0.0/8"));
  connected({{.key = "own"}}, {.addresses = {"10.0.0.11"}});
  advance(1s);
  EXPECT_THAT(prefixes_of("n2"), IsEmpty());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/own"));  // 10.7.7.7 was allowed by the prefix only
  EXPECT_TRUE(thief.heard().has_send_full());
}

// A router node's prefix holds the other nodes' addresses: that is allowed here, and nobody is judged again and again.
TEST_F(NodeRulesTest, prefixes_that_cover_each_other_inside_allowed_prefixes_cause_no_fulls) {
  apply([](model::Cluster& cluster) { cluster.allowed_prefixes = {prefix("10.0.0.0/8")}; });
  FakeAgent& one = connected({{.key = "a"}, {.key = "b", .address = "192.168.0.1"}},
                             {.addresses = {"10.0.0.11"}, .prefixes = {"10.0.0.0/16"}});
  connected({}, {.node = "n2", .addresses = {"10.0.0.12"}, .prefixes = {"10.0.0.0/17"}});
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("10.0.0.0/16"));
  const std::size_t said = one.port().sent.size();
  advance(3s);
  EXPECT_EQ(one.port().sent.size(), said);
}

TEST_F(NodeRulesTest, an_address_has_one_node_inside_allowed_prefixes_too) {
  apply([](model::Cluster& cluster) { cluster.allowed_prefixes = {prefix("10.0.0.0/8")}; });
  connected({{.key = "a", .port = 80}}, n1_);
  Identity thief = n2_;
  thief.addresses.emplace_back("10.0.0.11");
  FakeAgent& agent = connected({{.key = "mine", .port = 80}}, thief);
  EXPECT_EQ(nacks(agent).size(), 1U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

// A machine that died leaves its address to the machine that gets it next, long before it is forgotten.
TEST_F(NodeRulesTest, a_silent_node_gives_its_address_up) {
  connected({{.key = "a"}}, n1_).end();
  advance(60s);
  ASSERT_TRUE(status("eu-1/n1").silent);
  FakeAgent& next = connected({{.key = "b"}}, {.node = "n2", .addresses = {"10.0.0.11"}});
  EXPECT_THAT(nacks(next), IsEmpty());
  advance(1s);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n2/b"));
  EXPECT_TRUE(node("n1").addresses.empty());
}

TEST_F(NodeRulesTest, who_was_refused_gets_what_the_other_gives_up) {
  FakeAgent& first = connected({}, n1_);
  Identity second = n2_;
  second.addresses.emplace_back("10.0.0.11");
  FakeAgent& agent = connected({{.key = "b"}}, second);
  ASSERT_EQ(nacks(agent).size(), 1U);
  first.leave(true);
  advance(1s);
  EXPECT_EQ(node("n2").addresses.size(), 2U);
  ASSERT_TRUE(agent.heard().has_send_full());
  agent.full({encoded({.key = "b"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n2/b"));
}

TEST_F(NodeRulesTest, a_prefix_that_lost_to_a_greedy_one_comes_back) {
  connected({}, {.node = "n2", .addresses = {"10.0.0.12"}, .prefixes = {"10.0.0.0/8"}});
  connected({}, {.addresses = {"10.1.0.1"}, .prefixes = {"10.1.0.0/16"}});
  EXPECT_THAT(prefixes_of("n1"), IsEmpty());
  advance(1s);
  EXPECT_THAT(prefixes_of("n2"), IsEmpty());
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("10.1.0.0/16"));
}

// The digest is equal, so the agent sends no records; what the catalog has is judged all the same.
TEST_F(NodeRulesTest, endpoints_do_not_stay_at_an_address_that_the_node_has_left) {
  connected({{.key = "a"}}, n1_).end();
  FakeAgent& moved = connect();
  moved.hello({.addresses = {"10.0.0.99"}}, digest_of({{.key = "a"}}));
  EXPECT_THAT(keys(), IsEmpty());
}

TEST_F(NodeRulesTest, claims_of_a_forgotten_node_without_endpoints_are_free) {
  connected({}, n1_).end();
  advance(60s);
  agents_.forget(1s);
  FakeAgent& next = connected({{.key = "b"}}, {.node = "n2", .addresses = {"10.0.0.11"}});
  EXPECT_THAT(nacks(next), IsEmpty());
}

TEST_F(NodeRulesTest, what_a_freeze_held_back_is_judged_when_it_ends) {
  model::Override freeze;
  freeze.meta.name = "freeze";
  freeze.action = model::Action::Freeze;
  catalog_.put_override(freeze, clock_.now());
  connected({{.key = "a"}, {.key = "b", .service = "db"}}, n1_);
  apply([](model::Cluster& cluster) { cluster.agents = {{{"*"}, {}, {"web"}}}; });
  advance(1s);
  catalog_.erase_override("freeze", clock_.now());
  advance(1s);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

TEST_F(NodeRulesTest, inside_allowed_prefixes_nodes_may_overlap) {
  apply([](model::Cluster& cluster) { cluster.allowed_prefixes = {prefix("10.0.0.0/8")}; });
  connected({}, {.addresses = {"10.0.0.11"}, .prefixes = {"10.244.0.0/16"}});
  connected({}, {.node = "n2", .addresses = {"10.0.0.12"}, .prefixes = {"10.244.0.0/16", "11.0.0.0/16"}});
  EXPECT_THAT(prefixes_of("n2"), ElementsAre("10.244.0.0/16"));
}

TEST_F(NodeRulesTest, rows_of_agents_decide_about_services) {
  apply([](model::Cluster& cluster) { cluster.agents = {{{"n1"}, {"shop"}, {"web"}}, {{"*"}, {"infra"}, {}}}; });
  FakeAgent& web = connected({{.key = "a"}, {.key = "b", .service = "db"}}, n1_);
  ASSERT_EQ(nacks(web).size(), 1U);
  EXPECT_EQ(nacks(web)[0].reason(),
            "shop/db: row 1 of the cluster's agents, which names node n1, does not allow it (rule agents)");
  EXPECT_EQ(nacks(web)[0].field(), "service");
  connected({{.key = "c", .address = "10.0.0.12"}}, n2_);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

TEST_F(NodeRulesTest, what_a_stricter_rule_forbids_is_withdrawn_and_comes_back_with_the_old_rule) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b", .service = "db"}}, n1_);
  apply([](model::Cluster& cluster) { cluster.agents = {{{"n1"}, {}, {"web"}}}; });
  advance(1s);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  ASSERT_TRUE(agent.heard().has_send_full());  // and so the agent hears why
  agent.full({encoded({.key = "a"}), encoded({.key = "b", .service = "db"})});
  ASSERT_EQ(nacks(agent).size(), 1U);
  EXPECT_EQ(nacks(agent)[0].key(), "b");
  advance(1s);
  EXPECT_FALSE(agent.heard().has_send_full());  // once is enough
  apply([](model::Cluster& cluster) { cluster.agents.clear(); });
  advance(1s);
  ASSERT_TRUE(agent.heard().has_send_full());
  agent.full({encoded({.key = "a"}), encoded({.key = "b", .service = "db"})});
  EXPECT_THAT(nacks(agent), IsEmpty());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
}

TEST_F(NodeRulesTest, claims_follow_a_changed_rule_in_both_directions) {
  connected({{.key = "pod", .address = "10.244.1.9"}}, n1_);
  apply([](model::Cluster& cluster) { cluster.allowed_prefixes = {prefix("10.0.0.0/24")}; });
  advance(1s);
  EXPECT_THAT(prefixes_of("n1"), IsEmpty());
  EXPECT_THAT(keys(), IsEmpty());
  EXPECT_FALSE(status("eu-1/n1").silent);
  apply([](model::Cluster& cluster) { cluster.allowed_prefixes.reset(); });
  advance(1s);
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("10.244.1.0/24"));
}

TEST_F(NodeRulesTest, a_silent_node_stays_silent_when_its_claims_are_judged) {
  connected({}, n1_).end();
  advance(60s);
  ASSERT_TRUE(status("eu-1/n1").silent);
  apply([](model::Cluster& cluster) { cluster.allowed_prefixes = {prefix("10.0.0.0/24")}; });
  advance(1s);
  EXPECT_THAT(prefixes_of("n1"), IsEmpty());
  EXPECT_TRUE(status("eu-1/n1").silent);
}

TEST_F(NodeRulesTest, nothing_is_judged_again_because_of_another_field) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b", .address = "10.9.9.9"}}, n1_);
  ASSERT_EQ(nacks(agent).size(), 1U);
  apply([](model::Cluster& cluster) { cluster.distances["us-1"] = 80ms; });
  advance(1s);
  EXPECT_FALSE(agent.heard().has_send_full());
}

TEST_F(NodeRulesTest, the_quota_bounds_what_stays) {
  apply([](model::Cluster& cluster) { cluster.node_quota = {.endpoints = 2, .prefixes = 1, .addresses = 1}; });
  Identity who = n1_;
  who.addresses.emplace_back("10.0.0.13");
  who.prefixes.emplace_back("10.244.3.0/24");
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}, {.key = "c"}}, who);
  EXPECT_EQ(node("n1").addresses.size(), 1U);
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("10.244.1.0/24"));
  ASSERT_EQ(nacks(agent).size(), 1U);
  EXPECT_EQ(nacks(agent)[0].code(), v1::Nack::OVER_QUOTA);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
  agent.delta({encoded({.key = "d"})});
  EXPECT_EQ(nacks(agent).size(), 1U);
  agent.delta({encoded({.key = "b", .weight = 7})});  // a known one may change
  EXPECT_THAT(nacks(agent), IsEmpty());
  agent.delta({encoded({.key = "e"})}, {"a"});  // one goes, another one comes
  EXPECT_THAT(nacks(agent), IsEmpty());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/b", "eu-1/n1/e"));
}

TEST_F(NodeRulesTest, a_full_that_replaces_everything_is_within_the_quota) {
  apply([](model::Cluster& cluster) { cluster.node_quota = {.endpoints = 2}; });
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}}, n1_);
  agent.full({encoded({.key = "c"}), encoded({.key = "d"})});
  EXPECT_THAT(nacks(agent), IsEmpty());
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/c", "eu-1/n1/d"));
  // another source's list: what it does not mention stays, and counts
  agent.full({encoded({.key = "e", .source = "more"})}, {0, true, {"more"}});
  ASSERT_EQ(nacks(agent).size(), 1U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/c", "eu-1/n1/d"));
}

// A refused record must not make room for more than the quota.
TEST_F(NodeRulesTest, a_full_with_refused_records_is_within_the_quota_too) {
  apply([](model::Cluster& cluster) { cluster.node_quota = {.endpoints = 2}; });
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}}, n1_);
  agent.full({encoded({.key = "c"}), encoded({.key = "d"}), encoded({.key = "e"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/c", "eu-1/n1/d"));
  agent.full({encoded({.key = "f"}), encoded({.key = "g"}), "not a record"});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/c", "eu-1/n1/d"));
}

TEST_F(NodeRulesTest, known_endpoints_come_before_new_ones) {
  apply([](model::Cluster& cluster) { cluster.node_quota = {.endpoints = 2}; });
  FakeAgent& agent = connected({{.key = "y"}, {.key = "z"}}, n1_);
  agent.full({encoded({.key = "a"}), encoded({.key = "b"}), encoded({.key = "y"}), encoded({.key = "z"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/y", "eu-1/n1/z"));
}

TEST_F(NodeRulesTest, a_smaller_quota_withdraws_and_a_larger_one_asks_again) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}, {.key = "c"}}, n1_);
  apply([](model::Cluster& cluster) { cluster.node_quota = {.endpoints = 1}; });
  advance(1s);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  const std::vector<std::string> all = {encoded({.key = "a"}), encoded({.key = "b"}), encoded({.key = "c"})};
  agent.full(all);
  EXPECT_EQ(nacks(agent).size(), 2U);
  apply([](model::Cluster& cluster) { cluster.node_quota = {.endpoints = 3}; });
  advance(1s);
  ASSERT_TRUE(agent.heard().has_send_full());
  agent.full(all);
  EXPECT_EQ(keys().size(), 3U);
}

TEST_F(NodeRulesTest, nodes_are_judged_in_slices) {
  for (int i = 0; i < 5; ++i) {
    connected({}, {.node = "m" + std::to_string(i), .addresses = {"10.0.1." + std::to_string(i)}});
  }
  NodeRules rules(catalog_, true);
  EXPECT_EQ(rules.due(1).size(), 1U);
  EXPECT_EQ(rules.due(3).size(), 3U);
  EXPECT_EQ(rules.due(1).size(), 1U);
  EXPECT_EQ(rules.due(1).size(), 0U);
}

class PlainRulesTest : public NodeRulesTest {
 protected:
  PlainRulesTest() : NodeRulesTest(false) {}
};

TEST_F(PlainRulesTest, without_identities_only_what_the_cluster_says_is_a_rule) {
  FakeAgent& agent =
      connected({{.key = "a", .address = "10.9.9.9"}, {.key = "b", .service = "db"}}, {.prefixes = {"0.0.0.0/0"}});
  EXPECT_THAT(nacks(agent), IsEmpty());
  EXPECT_EQ(keys().size(), 2U);
  apply([](model::Cluster& cluster) { cluster.agents = {{{"*"}, {}, {"web"}}}; });
  advance(1s);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  EXPECT_THAT(prefixes_of("n1"), ElementsAre("0.0.0.0/0"));
}

}  // namespace
}  // namespace meshdns::federation
