// What people read, to the letter; and that no record is wider than a screen.
#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/text.h"
#include "dnsd/ctl/explain_view.h"
#include "dnsd/ctl/history_view.h"
#include "dnsd/ctl/lint_view.h"
#include "dnsd/ctl/simulate_view.h"
#include "dnsd/ctl/views.h"

namespace meshdns::ctl {
namespace {

using testing::HasSubstr;

template <class Message>
Message parsed(const std::string& text) {
  Message out;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &out));
  return out;
}

constexpr const char* kExample = R"x(
  host: "app-b.mesh.internal" client: "10.0.0.9" revision: 214 age { nanos: 800000000 }
  place: "eu/eu-a/eu-1" reason: "by node prefix 10.0.0.0/24 (eu1-n1)" object : "shop/app-b" policy
    : "default ladder, no fence, no spill" on_empty : "last resort" tiers {
number:
  0 rung : "cluster+zone" endpoints {
  address:
    "10.0.0.11:8080" where : "eu/eu-a/eu-1" state : "last_resort"
                                                    in_state{seconds : 12} why : "http 503, 1 of 2 successes"
  }
}
tiers {
number:
  1 rung : "cluster" load : 100 endpoints {
  address:
    "10.0.1.12:8080" where : "eu/eu-b/eu-1" state : "serving" in_state {
    seconds:
      15120
    }
  }
  endpoints {
  address:
    "10.0.1.13:8080" where : "eu/eu-b/eu-1" state : "serving" in_state{seconds : 12} why : "slow-start 40%"
  }
}
tiers {
number:
  2 rung : "region" split : true cluster : "eu-2" endpoints {
  address:
    "10.1.0.11:8080" where : "eu/eu-c/eu-2" state : "serving" in_state{seconds : 10800} why : "via gateway 10.1.0.1"
  }
}
tiers {
number:
  3 rung : "any" split : true cluster : "us-1" endpoints {
  address:
    "10.2.0.11:8080" where : "us/us-a/us-1" state : "serving" in_state{seconds : 10800} why : "via gateway 10.2.0.1"
  }
}
  answer: "10.0.1.12" answer: "10.0.1.13" answer_tier: 1
  ttl_why: "1s: 10.0.0.11 could come back (1 of 2 successes)")x";

constexpr const char* kHostile =
    "n\x1b[2J\n\xe2\x80\xae"
    "forged  row";
constexpr const char* kShown = "n\\u001b[2J\\n\\u202eforged  row";

/// Has the name as it is shown, and as many lines as without it.
void expect_clean(const std::string& view, std::ptrdiff_t lines) {
  EXPECT_THAT(view, HasSubstr(kShown));
  EXPECT_EQ(view.find('\x1b'), std::string::npos) << view;
  EXPECT_EQ(std::ranges::count(view, '\n'), lines) << view;
}

// Names, details, labels and reasons come from agents: they moved the cursor of who looked, and forged rows.
TEST(Views, WhatPeersSayIsOnePrintableLine) {
  v1::ListReply nodes;
  nodes.add_nodes()->set_key(kHostile);
  expect_clean(list_view({"Node", true}, nodes, 0), 2);
  expect_clean(describe_node(nodes.nodes(0)), 7);
  v1::ListReply endpoints;
  v1::EndpointInfo& endpoint = *endpoints.add_endpoints();
  endpoint.set_why(kHostile);
  (*endpoint.mutable_labels())[kHostile] = "v\x1b";
  const std::string table = list_view({"Endpoint", true}, endpoints, 0);
  expect_clean(table, 2);
  EXPECT_THAT(table, HasSubstr(std::string(kShown) + "=v\\u001b")) << "keys and values of maps";
  expect_clean(describe_endpoint(endpoint), 9);
}

TEST(Views, WhatPeersSayOfAHostIsOnePrintableLine) {
  v1::StatusReply status;
  status.set_ready(true);
  status.add_replicas()->set_name(kHostile);
  EXPECT_EQ(status_view(status).find('\x1b'), std::string::npos);
  status.set_store_trouble(kHostile);
  expect_clean(status_problem(status), 0);
  v1::Event event;
  event.set_summary(kHostile);
  expect_clean(event_view(event), 1);
  v1::Change change;
  change.set_objects(kHostile);
  expect_clean(change_view(change), 1);
  auto explained = parsed<v1::ExplainReply>(kExample);
  const auto lines = std::ranges::count(explain_view(explained), '\n');
  explained.mutable_tiers(0)->mutable_endpoints(0)->set_why(kHostile);
  expect_clean(explain_view(explained), lines);
  v1::LintReply lint;
  lint.add_findings()->set_object(kHostile);
  expect_clean(lint_view(lint, ""), 2);
  v1::SimulateReply simulated;
  simulated.add_endpoints()->set_endpoint(kHostile);
  EXPECT_THAT(simulation_view({}, simulated), HasSubstr(kShown));
}

// Guards the contract: the example of the documentation.
TEST(ExplainView, a_tier_with_very_many_endpoints_is_counted) {
  v1::ExplainReply reply;
  v1::ExplainedTier& tier = *reply.add_tiers();
  for (int i = 0; i < 40000; ++i) tier.add_endpoints()->set_address("10.0.0.1:" + std::to_string(i));
  const std::string text = explain_view(reply);
  EXPECT_THAT(text, HasSubstr("10.0.0.1:99\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("10.0.0.1:100\n")));
  EXPECT_THAT(text, HasSubstr("and 39900 more\n"));
}

TEST(ExplainView, is_the_documented_one) {
  EXPECT_EQ(explain_view(parsed<v1::ExplainReply>(kExample)),
            R"(app-b.mesh.internal for 10.0.0.9                         revision 214, 0.8 s old
client   eu/eu-a/eu-1        by node prefix 10.0.0.0/24 (eu1-n1)
policy   shop/app-b          default ladder   no fence   no spill   empty: last resort

TIER  RUNG           LOAD  ENDPOINT        WHERE         STATE        FOR    WHY
0     cluster+zone     0%  10.0.0.11:8080  eu/eu-a/eu-1  last_resort  12s    http 503, 1 of 2 successes
1     cluster        100%  10.0.1.12:8080  eu/eu-b/eu-1  serving      4h12m
                           10.0.1.13:8080  eu/eu-b/eu-1  serving      12s    slow start 40 %
2     region (eu-2)    0%  10.1.0.11:8080  eu/eu-c/eu-2  serving      3h     via gateway 10.1.0.1
3     any (us-1)       0%  10.2.0.11:8080  us/us-a/us-1  serving      3h     via gateway 10.2.0.1

answer   A 10.0.1.12, 10.0.1.13      ttl 1 s: 10.0.0.11 could come back (1 of 2 successes)
)");
}

TEST(ExplainView, spread_loads_parts_panic_and_notes) {
  auto reply = parsed<v1::ExplainReply>(kExample);
  reply.mutable_tiers(0)->set_load(60);
  reply.mutable_tiers(0)->set_panic(true);
  reply.mutable_tiers(0)->set_part("60% region=eu");
  reply.mutable_tiers(0)->add_answer("10.0.0.11");
  reply.mutable_tiers(0)->add_answer("fd00::11");
  reply.mutable_tiers(1)->set_load(40);
  reply.mutable_tiers(1)->add_answer("10.0.1.12");
  reply.mutable_drawn_for()->set_seconds(3);
  reply.set_ttl_why("5s");
  reply.set_note("spread: tier 0 60%, tier 1 40%");
  reply.add_advice("A and AAAA carry no port");
  const std::string view = explain_view(reply);
  EXPECT_THAT(view, HasSubstr("TIER  PART           RUNG"));
  EXPECT_THAT(view, HasSubstr("  panic 60%  "));
  EXPECT_THAT(view, HasSubstr("\nanswer   tier 0 60%    A 10.0.0.11   AAAA fd00::11\n"
                              "         tier 1 40%    A 10.0.1.12   <- this client, for 3 s\n"
                              "         ttl 5 s\n"
                              "note     spread: tier 0 60%, tier 1 40%\n"
                              "note     A and AAAA carry no port\n"));
}

TEST(ExplainView, nothing_is_answered) {
  v1::ExplainReply reply;
  reply.set_note("no endpoint is inside the fence");
  const std::string view = explain_view(reply);
  EXPECT_THAT(view, HasSubstr("no endpoint that any rung is for"));
  EXPECT_THAT(view, HasSubstr("answer   nothing: no endpoint is inside the fence\n"));
}

// Guards screens: whatever the policy and however many addresses.
TEST(ExplainView, no_line_is_wider_than_a_screen) {
  auto reply = parsed<v1::ExplainReply>(kExample);
  std::string policy = "ladder zone > any, fence within region and clusters eu-1+eu-2, spill 140% panic below 50%";
  for (const char* from : {"eu", "us", "ap"}) {
    policy += std::string(", failover from region=") + from + " to region=us,zone=us-a > region=asia > region=africa";
  }
  reply.set_policy(policy);
  reply.clear_answer();
  for (int i = 0; i < 300; ++i) {
    reply.add_answer("10.0.1." + std::to_string(i));
    reply.add_answer("fd00:1234:5678::" + std::to_string(i));
  }
  reply.set_note(policy);
  reply.add_advice(policy);
  for (const bool spread : {false, true}) {
    if (spread) reply.mutable_drawn_for()->set_seconds(1);
    *reply.mutable_tiers(1)->mutable_answer() = reply.answer();
    const std::string view = explain_view(reply);
    for (const auto line : split(view, '\n')) EXPECT_LE(line.size(), kColumns) << line;
    EXPECT_THAT(view, HasSubstr(" more"));
    EXPECT_THAT(view, HasSubstr("failover from region=ap to region=us,zone=us-a > region=asia > region=africa\n"))
        << "no rule is cut";
  }
}

TEST(SimulationView, one_client) {
  v1::SimulateReply reply;
  *reply.mutable_before() = parsed<v1::ExplainReply>(kExample);
  *reply.mutable_after() = reply.before();
  const auto request = parsed<v1::SimulateRequest>(
      R"(overrides { action: "Down" target { cluster: "eu-1" } } overrides { action: "Drain" target { node: "n1" } })");
  EXPECT_EQ(simulation_view(request, reply),
            R"(app-b.mesh.internal for 10.0.0.9 in eu/eu-a/eu-1   supposed: down cluster=eu-1, drain node=n1
now      A 10.0.1.12, 10.0.1.13      ttl 1 s: 10.0.0.11 could come back (1 of 2 successes)
then     A 10.0.1.12, 10.0.1.13      ttl 1 s: 10.0.0.11 could come back (1 of 2 successes)
         the same

no endpoint stands differently
)");
  reply.mutable_after()->clear_answer();
  reply.mutable_after()->clear_answer_tier();
  reply.mutable_after()->set_note("all that there is was forced down by operators");
  *reply.add_endpoints() = parsed<v1::EndpointChange>(
      R"(endpoint: "10.0.1.12:8080" where: "eu/eu-b/eu-1" before: "serving" after: "out" why: "forced down simulated")");
  EXPECT_THAT(simulation_view(request, reply),
              HasSubstr("then     nothing: all that there is was forced down by operators\n\n"
                        "ENDPOINT        WHERE         NOW      THEN  WHY\n"
                        "10.0.1.12:8080  eu/eu-b/eu-1  serving  out   forced down simulated\n"));
}

TEST(SimulationView, all_hosts) {
  const auto request = parsed<v1::SimulateRequest>(R"(clear: true)");
  const auto reply = parsed<v1::SimulateReply>(R"(
    hosts { host: "a.mesh.internal" nothing_serves: true
      answer { from: "eu/a/eu-1" from: "eu/a/eu-2" from: "eu/a/eu-3" from: "eu/a/eu-4"
               before: "tier 0 any: 1 endpoint" after: "nothing" } }
    rows: 3 hosts_seen: 4 hosts_changed: 2 hosts_empty: 1 hosts_all: 12 from: "eu/a/eu-1")");
  EXPECT_EQ(survey_view(request, reply),
            R"(supposed: no other override   seen from eu/a/eu-1

HOST             FROM          NOW                     THEN
a.mesh.internal  eu/a/eu-1 +3  tier 0 any: 1 endpoint  NOTHING SERVES

and 2 rows more
12 hosts, 4 with endpoints there: the answers of 2 change, nothing serves of 1
)");
}

TEST(HistoryView, an_event) {
  const auto event = parsed<v1::Event>(R"(
    at: 1795808401 at_millis: 42 host: "a.mesh.internal" revision: 7 age { seconds: 12 } summary: "another policy"
    endpoints { endpoint: "10.0.0.11:8080" where: "eu/a/eu-1" before: "serving" after: "last_resort" why: "http 503" }
    endpoints { endpoint: "10.0.0.12:8080" where: "eu/a/eu-1" after: "serving" }
    answers { from: "eu/a/eu-1" before: "tier 0 any: 10.0.0.11" after: "tier 0 any: 10.0.0.12" })");
  EXPECT_EQ(event_view(event), R"(2026-11-27T19:40:01.042Z  12s ago  a.mesh.internal  revision 7: another policy
  10.0.0.11:8080  eu/a/eu-1  serving -> last_resort  (http 503)
  10.0.0.12:8080  eu/a/eu-1  new -> serving
  clients in eu/a/eu-1
    before  tier 0 any: 10.0.0.11
    after   tier 0 any: 10.0.0.12
)");
}

TEST(ChangeView, who_changed_what_and_who_was_refused) {
  const auto done = parsed<v1::Change>(R"x(
    at: 1795808401 at_millis: 42 who: "alice (uid 1000, pid 4711)" from: "unix" verb: "apply" revision: 41
    objects: "VirtualDestination/shop/web created" outcome: "ok")x");
  EXPECT_EQ(change_view(done),
            "2026-11-27T19:40:01.042Z  alice (uid 1000, pid 4711) from unix  apply  VirtualDestination/shop/web created"
            "  revision 41  ok\n");
  const auto refused = parsed<v1::Change>(R"x(
    at: 1795808401 who: "operator v (viewer)" from: "10.0.0.9:4711" verb: "approve-shrink" revision: 41
    outcome: "refused: no (rule level-operator)")x");
  EXPECT_EQ(change_view(refused),
            "2026-11-27T19:40:01.000Z  operator v (viewer) from 10.0.0.9:4711  approve-shrink  -  revision 41  "
            "refused: no (rule level-operator)\n");
}

TEST(LintView, findings_and_counts) {
  auto reply = parsed<v1::LintReply>(R"(objects: 2
    findings { object: "Cluster/eu1" path: "metadata.name" severity: WARNING message: "no node" }
    findings { object: "Cluster/eu1" severity: ADVICE message: "one" }
    findings { object: "Cluster/eu1" severity: ADVICE message: "two" })");
  EXPECT_EQ(lint_view(reply, "c.yaml"), R"(c.yaml: Cluster/eu1: metadata.name: warning: no node
c.yaml: Cluster/eu1: advice: one
c.yaml: Cluster/eu1: advice: two
1 warning, 2 pieces of advice in 2 objects
)");
  reply.clear_findings();
  EXPECT_EQ(lint_view(reply, ""), "nothing found in 2 objects\n");
}

TEST(StatusViewTest, says_that_the_federation_is_busy) {
  EXPECT_THAT(status_view(parsed<v1::StatusReply>("")), testing::Not(HasSubstr("busy")));
  EXPECT_THAT(status_view(parsed<v1::StatusReply>("busy { late { seconds: 2 } heartbeat { seconds: 10 } }")),
              HasSubstr("busy       the control thread is 2.0s late: agents beat each 10s\n"));
}

TEST(StatusViewTest, says_how_many_connections_there_are_and_what_bounds_did) {
  EXPECT_THAT(status_view(parsed<v1::StatusReply>("connections { open: 812 most: 18488 }")),
              HasSubstr("connections  812 of 18488 open\n"));
  EXPECT_THAT(
      status_view(parsed<v1::StatusReply>("connections { open: 10 most: 10 full: true refused: 3 evicted: 4 }")),
      HasSubstr("10 of 10 open   FULL: others wait   3 refused for their address   4 silent ones ended\n"));
  EXPECT_THAT(status_view(parsed<v1::StatusReply>("connections { open: 10 most: 11 failing: true }")),
              HasSubstr("10 of 11 open   CANNOT ACCEPT: the system gives no more\n"));
}

TEST(StatusViewTest, names_replicas_and_certificates_with_their_end) {
  const auto reply = parsed<v1::StatusReply>(R"(ready: true subscribers: 3
    replicas { name: "us-1/host" peer: "ipv4:10.2.0.1:5281" connected { seconds: 90 } }
    replicas { name: "eu-2/host" peer: "ipv4:10.1.0.1:5282" connected { seconds: 5 } behind: 12 lag { nanos: 340000000 } }
    certificates { file: "fed.pem" not_after: 1795808401 problem: "expired at 2026-11-27T19:40:01Z" })");
  const std::string view = status_view(reply);
  EXPECT_THAT(view, HasSubstr("us-1/host   ipv4:10.2.0.1:5281   connected 1m30s   up to date\n"));
  EXPECT_THAT(view, HasSubstr("eu-2/host   ipv4:10.1.0.1:5282   connected 5.0s   12 revisions behind for 0.3s\n"));
  EXPECT_THAT(view, HasSubstr("and 1 more\n"));
  EXPECT_THAT(view, HasSubstr("fed.pem   until 2026-11-27T19:40:01Z   expired at 2026-11-27T19:40:01Z\n"));
  EXPECT_EQ(status_problem(reply), "fed.pem: expired at 2026-11-27T19:40:01Z");
}

TEST(StatusViewTest, one_is_one) {
  const std::string view = status_view(parsed<v1::StatusReply>("hosts: 1 queries: 1 publications: 1"));
  EXPECT_THAT(view, HasSubstr("1 host\n"));
  EXPECT_THAT(view, HasSubstr("1 query   1 publication, the last"));
}

TEST(StatusProblem, is_what_scripts_have_to_know) {
  EXPECT_EQ(status_problem(parsed<v1::StatusReply>("ready: true")), "");
  EXPECT_THAT(status_problem(parsed<v1::StatusReply>("")), HasSubstr("not ready"));
  for (const char* wrong :
       {"stale: true", "recovering: true", "store_trouble: 'disk full'", "shrink_refused: '30 of 40'",
        "brakes { reason: '5 of 8 silent' }", "connections { failing: true }"}) {
    EXPECT_NE(status_problem(parsed<v1::StatusReply>(std::string("ready: true ") + wrong)), "") << wrong;
  }
}

TEST(ListView, wide_shows_weight_ports_labels_and_the_key) {
  const auto reply = parsed<v1::ListReply>(R"(endpoints { key: "eu-1/n1/shop/web/10.0.0.11:8080" node: "eu-1/n1"
    namespace: "shop" service: "web" address: "10.0.0.11:8080" where: "eu/eu-a/eu-1" state: "serving"
    in_state { seconds: 12 } weight: 3 labels { key: "app" value: "web" } labels { key: "v" value: "2" }
    ports { name: "http" number: 8080 protocol: "TCP" } })");
  EXPECT_EQ(
      list_view({"Endpoint", true}, reply, 0),
      "SERVICE   ENDPOINT        WHERE         NODE     STATE    FOR  WHY  WEIGHT  PORTS          LABELS       KEY\n"
      "shop/web  10.0.0.11:8080  eu/eu-a/eu-1  eu-1/n1  serving  12s       3       http 8080/TCP  app=web,v=2  "
      "eu-1/n1/shop/web/10.0.0.11:8080\n");
}

TEST(ListView, a_frozen_mesh_is_told_above_the_states) {
  auto reply = parsed<v1::ListReply>(R"(frozen: "by alice: incident" endpoints { address: "10.0.0.11:8080" })");
  EXPECT_THAT(list_view({"Endpoint"}, reply, 0), testing::StartsWith("frozen by alice: incident: "));
}

TEST(ListView, clusters_that_only_nodes_tell_of_are_listed) {
  const auto reply =
      parsed<v1::ListReply>(R"(undeclared { name: "eu-2" nodes: 3 locality { region: "eu" cluster: "eu-2" }
    distances { key: "us-1" value { nanos: 80000000 } } })");
  EXPECT_THAT(list_view({"Cluster"}, reply, 0), HasSubstr("eu-2  eu/-/eu-2  -          us-1:80ms"));
}

}  // namespace
}  // namespace meshdns::ctl
