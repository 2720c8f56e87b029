#include "dnsd/federation/report_session.h"

#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using enum model::HealthState;

using ReportSessionTest = FederationTest;

// ---- Hello and Welcome ----

TEST_F(ReportSessionTest, welcomes_an_unknown_node_and_wants_everything) {
  FakeAgent& agent = connect();
  EXPECT_EQ(agent.port().reads, 1);
  agent.hello();
  ASSERT_TRUE(agent.heard().has_welcome());
  const v1::Welcome& welcome = agent.heard().welcome();
  EXPECT_TRUE(welcome.want_full());
  EXPECT_EQ(welcome.instance(), "eu-1/a");
  EXPECT_GT(welcome.epoch(), static_cast<std::uint64_t>(clock_.unix_seconds()));
  EXPECT_EQ(convert::from_wire(welcome.settings().heartbeat()), 1s);
  EXPECT_EQ(convert::from_wire(welcome.settings().lease()), 3s);
  EXPECT_EQ(agent.port().reads, 2);
  EXPECT_TRUE(catalog_.records().nodes.contains("eu-1/n1"));
  EXPECT_TRUE(agents_.is_connected("eu-1/n1"));
}

TEST_F(ReportSessionTest, wants_a_full_only_where_the_digests_differ) {
  connected({{.key = "a"}, {.key = "b"}}).end();
  FakeAgent& same = connect();
  same.hello({}, digest_of({{.key = "a"}, {.key = "b"}}));
  EXPECT_FALSE(same.heard().welcome().want_full());
  EXPECT_EQ(same.heard().welcome().known_sequence(), 1U);
  same.end();
  FakeAgent& other = connect();
  other.hello({}, digest_of({{.key = "a"}}));
  EXPECT_TRUE(other.heard().welcome().want_full());
}

TEST_F(ReportSessionTest, each_session_has_a_greater_epoch_than_any_before_or_echoed) {
  const std::uint64_t first = connected({}).epoch();
  FakeAgent& second = connect();
  second.hello();
  EXPECT_GT(second.epoch(), first);
  FakeAgent& third = connect();
  third.hello({}, 0, second.epoch() + 1000);
  EXPECT_EQ(third.epoch(), second.epoch() + 1001);
}

TEST_F(ReportSessionTest, refuses_a_hello_that_it_cannot_use) {
  const auto answer = [this](const std::function<void(v1::Hello&)>& spoil) {
    FakeAgent& agent = connect();
    v1::AgentMessage message;
    v1::Hello& hello = *message.mutable_hello();
    hello.set_protocol(1);
    hello.mutable_node()->set_name("n1");
    hello.mutable_node()->mutable_locality()->set_cluster("eu-1");
    spoil(hello);
    agent.say(message);
    EXPECT_TRUE(agent.port().closed);
    EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::PROTOCOL_ERROR);
    return agent.heard().goodbye().message();
  };
  EXPECT_THAT(answer([](auto& hello) { hello.set_protocol(2); }), HasSubstr("protocol 2"));
  EXPECT_THAT(answer([](auto& hello) { hello.clear_node(); }), HasSubstr("node.name"));
  EXPECT_THAT(answer([](auto& hello) { hello.mutable_node()->clear_locality(); }), HasSubstr("cluster"));
  EXPECT_THAT(answer([](auto& hello) { hello.mutable_node()->mutable_locality()->set_zone("a b"); }),
              HasSubstr("locality.zone"));
  EXPECT_THAT(answer([](auto& hello) { hello.mutable_node()->add_addresses("xyz"); }), HasSubstr("addresses"));
  EXPECT_THAT(answer([](auto& hello) { hello.mutable_node()->add_prefixes("10.0.0.1/8"); }), HasSubstr("prefixes"));
  EXPECT_EQ(agents_.counters().protocol_errors, 6U);
  EXPECT_THAT(catalog_.records().nodes, IsEmpty());
}

// Guards against nodes that are known at 127.0.0.1, where everybody else would find themselves.
TEST_F(ReportSessionTest, loopback_addresses_of_another_machine_are_refused) {
  for (const char* address : {"127.0.0.1", "::1"}) {
    FakeAgent afar(agents_, false);
    afar.hello({.addresses = {"10.0.0.7", address}});
    EXPECT_THAT(afar.heard().goodbye().message(),
                HasSubstr(std::string("node: addresses: ") + address + " is on the agent's own machine only"));
  }
  EXPECT_THAT(catalog_.records().nodes, IsEmpty());
  FakeAgent afar(agents_, false);
  afar.hello({.addresses = {"10.0.0.7"}});
  ASSERT_NE(afar.epoch(), 0U);
  afar.heard();
  afar.full({encoded({.key = "a", .address = "127.0.0.1"}), encoded({.key = "b", .address = "10.0.0.7"})});
  const auto ack = afar.heard().ack();
  ASSERT_EQ(ack.nacks_size(), 1);
  EXPECT_EQ(ack.nacks(0).key(), "a");
  EXPECT_EQ(ack.nacks(0).field(), "addresses");
  EXPECT_EQ(catalog_.records().endpoints.size(), 1U);
}

// An agent beside a federation that others reach has no business to send them to themselves.
TEST_F(ReportSessionTest, loopback_is_an_address_where_the_federation_is_on_loopback) {
  FakeAgent& reached_by_others = connect();
  reached_by_others.hello({.addresses = {"127.0.0.1"}});
  EXPECT_THAT(reached_by_others.heard().goodbye().message(),
              HasSubstr("node: addresses: 127.0.0.1 is a loopback address"));
  catalog_.set_loopback(Loopback::Allowed);
  FakeAgent& here = connect();
  here.hello({.addresses = {"127.0.0.1"}});
  EXPECT_NE(here.epoch(), 0U);
}

// ---- records ----

TEST_F(ReportSessionTest, a_full_becomes_records_and_is_acknowledged) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b", .state = Failing}});
  EXPECT_EQ(agent.heard().ack().sequence(), 1U);
  EXPECT_EQ(agent.heard().ack().nacks_size(), 0);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
  EXPECT_EQ(record("eu-1/n1/b").health.state, Failing);
  EXPECT_EQ(record("eu-1/n1/a").node, "eu-1/n1");
}

TEST_F(ReportSessionTest, a_delta_changes_and_withdraws) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  agent.delta({encoded({.key = "c"}), encoded({.key = "a", .state = Failing})}, {"b", "never_there"});
  EXPECT_EQ(agent.heard().ack().sequence(), 2U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/c"));
  EXPECT_EQ(record("eu-1/n1/a").health.state, Failing);
}

TEST_F(ReportSessionTest, an_agent_cannot_touch_another_nodes_records) {
  connected({{.key = "a"}}, {.node = "n2", .uid = "uid-2"});
  FakeAgent& agent = connected({{.key = "a"}});
  agent.delta({}, {"../n2/a", "eu-1/n2/a"});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n2/a"));
  agent.full({});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n2/a"));
}

TEST_F(ReportSessionTest, a_bad_record_is_refused_by_name_and_the_rest_is_applied) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.delta({encoded({.key = "a", .weight = 70000}), encoded({.key = "b"}), encoded({.key = "c", .service = "a b"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
  const v1::Ack& ack = agent.heard().ack();
  ASSERT_EQ(ack.nacks_size(), 2);
  EXPECT_EQ(ack.nacks(0).key(), "a");
  EXPECT_EQ(ack.nacks(0).field(), "weight");
  EXPECT_EQ(ack.nacks(0).reason(), "must be 0 to 65535");
  EXPECT_TRUE(ack.nacks(0).kept_previous());
  EXPECT_EQ(ack.nacks(1).key(), "c");
  EXPECT_EQ(ack.nacks(1).field(), "service");
  EXPECT_FALSE(ack.nacks(1).kept_previous());
  EXPECT_EQ(record("eu-1/n1/a").weight, 1U);
  EXPECT_EQ(agents_.counters().refused_records, 2U);
}

TEST_F(ReportSessionTest, what_cannot_be_decoded_is_refused_by_field) {
  v1::Endpoint no_address;
  ASSERT_TRUE(no_address.ParseFromString(encoded({.key = "b"})));
  no_address.set_addresses(0, "xyz");
  v1::Endpoint no_state;
  ASSERT_TRUE(no_state.ParseFromString(encoded({.key = "c"})));
  no_state.clear_health();
  FakeAgent& agent = connect();
  agent.hello();
  agent.full({"\xff\xff", no_address.SerializeAsString(), no_state.SerializeAsString(), encoded({.key = "d"})});
  const v1::Ack& ack = agent.heard().ack();
  ASSERT_EQ(ack.nacks_size(), 3);
  EXPECT_EQ(ack.nacks(0).reason(), "not an Endpoint");
  EXPECT_EQ(ack.nacks(1).key(), "b");
  EXPECT_EQ(ack.nacks(1).field(), "addresses");
  EXPECT_EQ(ack.nacks(2).field(), "health.state");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/d"));
}

// Guards the loop of Fulls that a refused record would cause if it were missing in the digest.
TEST_F(ReportSessionTest, a_refused_record_counts_in_the_digest) {
  const Sample bad{.key = "a", .weight = 70000};
  FakeAgent& agent = connected({bad, {.key = "b"}});
  agent.port().take();
  agent.heartbeat(digest_of({bad, {.key = "b"}}));
  EXPECT_THAT(agent.port().take(), IsEmpty());
}

// ---- withdrawal by absence ----

TEST_F(ReportSessionTest, a_full_withdraws_what_is_missing_of_listed_sources_only) {
  const std::vector<Sample> all = {{.key = "a"}, {.key = "b"}, {.key = "p", .source = "pods"}};
  FakeAgent& agent = connected(all);
  agent.full({encoded(all[0])}, {.listed = {}});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b", "eu-1/n1/p"));
  agent.full({encoded(all[0])}, {.listed = {"files"}});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/p"));
  agent.full({encoded(all[0])}, {.listed = {"files", "pods"}});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
}

TEST_F(ReportSessionTest, a_refused_record_is_no_withdrawal) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  agent.full({encoded({.key = "a", .weight = 70000}), encoded({.key = "b"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
  agent.full({"\xff\xff"});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
}

// Guards what was kept because a source could not be read: once it can be, what it no longer has must go.
TEST_F(ReportSessionTest, a_source_that_is_listed_later_withdraws_what_it_lacks) {
  connected({{.key = "a"}, {.key = "b"}}).end();
  FakeAgent& agent = connect();
  agent.hello();
  agent.full({encoded({.key = "a"})}, {.listed = {}});
  agent.port().take();
  v1::AgentMessage message = agent.message();
  message.mutable_delta()->add_sources()->set_name("files");
  message.mutable_delta()->mutable_sources(0)->set_listed(true);
  agent.say(message);
  EXPECT_TRUE(agent.heard().has_send_full());
  agent.full({encoded({.key = "a"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a"));
  agent.port().take();
  message.set_sequence(agent.message().sequence());
  agent.say(message);
  EXPECT_TRUE(agent.heard().has_ack());  // nothing is left over: no Full
}

// ---- parts ----

TEST_F(ReportSessionTest, parts_are_applied_together_with_the_last) {
  connected({{.key = "old"}}).end();
  FakeAgent& agent = connect();
  agent.hello();
  agent.full({encoded({.key = "a"})}, {.number = 0, .last = false, .listed = {}});
  EXPECT_EQ(agent.heard().ack().sequence(), 1U);
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/old"));
  agent.heartbeat(1);  // its digest is of what is still arriving
  EXPECT_TRUE(agent.heard().has_ack());
  agent.full({encoded({.key = "b"})}, {.number = 1});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
}

TEST_F(ReportSessionTest, a_full_may_begin_again) {
  FakeAgent& agent = connect();
  agent.hello();
  agent.full({encoded({.key = "a"})}, {.number = 0, .last = false});
  agent.full({encoded({.key = "b"})}, {.number = 0, .last = false});
  agent.full({encoded({.key = "c"})}, {.number = 1});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/b", "eu-1/n1/c"));
  agent.port().take();
  agent.heartbeat(digest_of({{.key = "b"}, {.key = "c"}}));
  EXPECT_THAT(agent.port().take(), IsEmpty());
}

TEST_F(ReportSessionTest, a_missing_part_ends_the_session) {
  for (const std::uint32_t wrong : {1U, 3U}) {
    FakeAgent& agent = connect();
    agent.hello();
    if (wrong > 1) agent.full({}, {.number = 0, .last = false});
    agent.full({encoded({.key = "a"})}, {.number = wrong});
    EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::PROTOCOL_ERROR);
    EXPECT_THAT(keys(), IsEmpty());
    agent.end();
  }
}

// Guards against a copy of half a Full that happens to equal what the agent has when it is back.
TEST_F(ReportSessionTest, half_a_full_is_no_copy) {
  FakeAgent& cut_off = connect();
  cut_off.hello();
  cut_off.full({encoded({.key = "a"})}, {.number = 0, .last = false});
  cut_off.end();
  FakeAgent& back = connect();
  back.hello({}, digest_of({{.key = "a"}}));  // the rest was withdrawn meanwhile
  EXPECT_TRUE(back.heard().welcome().want_full());
}

// ---- heartbeats and order ----

TEST_F(ReportSessionTest, a_heartbeat_with_another_digest_asks_for_everything) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.port().take();
  agent.heartbeat(digest_of({{.key = "a"}}));
  EXPECT_THAT(agent.port().take(), IsEmpty());
  agent.heartbeat(digest_of({{.key = "b"}}));
  EXPECT_TRUE(agent.heard().has_send_full());
}

TEST_F(ReportSessionTest, the_next_message_is_read_when_one_is_handled_but_none_after_the_end) {
  FakeAgent& agent = connected({});
  EXPECT_EQ(agent.port().reads, 3);
  agent.heartbeat();
  EXPECT_EQ(agent.port().reads, 4);
  agent.leave(false);
  EXPECT_EQ(agent.port().reads, 4);
}

TEST_F(ReportSessionTest, anything_before_hello_or_out_of_order_ends_the_session) {
  const auto ends = [this](const std::function<void(FakeAgent&)>& say) {
    FakeAgent& agent = connect();
    say(agent);
    const bool ended = agent.port().closed && agent.heard().goodbye().reason() == v1::Goodbye::PROTOCOL_ERROR;
    const auto revision = catalog_.revision();
    agent.delta({encoded({.key = "late"})});
    EXPECT_EQ(catalog_.revision(), revision) << "an ended session still applied a record";
    agent.end();
    return ended;
  };
  EXPECT_TRUE(ends([](FakeAgent& agent) { agent.heartbeat(); }));
  EXPECT_TRUE(ends([](FakeAgent& agent) {
    agent.hello();
    agent.hello();
  }));
  EXPECT_TRUE(ends([](FakeAgent& agent) {
    agent.hello();
    v1::AgentMessage other_epoch = agent.message();
    other_epoch.set_epoch(agent.epoch() - 1);
    other_epoch.mutable_heartbeat();
    agent.say(other_epoch);
  }));
  EXPECT_TRUE(ends([](FakeAgent& agent) {
    agent.hello();
    agent.heartbeat();
    v1::AgentMessage repeated = agent.message();
    repeated.set_sequence(1);
    repeated.mutable_heartbeat();
    agent.say(repeated);
  }));
  EXPECT_EQ(agents_.counters().protocol_errors, 4U);
}

TEST_F(ReportSessionTest, kinds_that_it_does_not_know_yet_count_as_signs_of_life) {
  FakeAgent& agent = connected({});
  agent.port().take();
  v1::AgentMessage message = agent.message();
  message.mutable_probes();
  agent.say(message);
  agent.say(agent.message());  // no body at all
  EXPECT_THAT(agent.port().take(), IsEmpty());
  EXPECT_FALSE(agent.port().closed);
}

}  // namespace
}  // namespace meshdns::federation
