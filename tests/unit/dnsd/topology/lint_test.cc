#include "tests/unit/dnsd/topology/lint_fixture.h"

namespace meshdns::topology {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

model::Rung rung(const char* text) { return model::parse_rung(text).value(); }

TEST_F(LintTest, what_is_right_has_no_findings) {
  EXPECT_THAT(found(), IsEmpty());
  object.policy.spill = model::Spill{};
  object.policy.failover = {{{.region = "eu"}, {{.region = "us"}}}};
  object.policy.fence = model::Fence{{}, {"eu", "us"}, {}, {}};
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(LintTest, more_records_than_resolvers_take) {
  object.policy.max_answers = 100;
  EXPECT_THAT(found(), IsEmpty());
  object.policy.max_answers = 101;
  expect_one("advice spec.policy.maxAnswers: more than 100: BIND from 9.18.28 answers SERVFAIL above 100 records");
  object.policy.max_answers.reset();
  for (int i = 1; i < 100; ++i) add_endpoint(i < 60 ? "eu-1" : "us-1", "10.9.0." + std::to_string(i), "more");
  expect_one("advice spec.policy.maxAnswers: SRV lists up to 101 instances: BIND from 9.18.28 answers SERVFAIL");
  object.policy.max_answers = 60;
  expect_one("SRV lists up to 101 instances");  // each tier gives so many
  object.policy.max_answers = 50;
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(LintTest, closest_endpoints_without_a_family_that_others_have) {
  records.endpoints["us-1/n1/10.2.0.11"].addresses.push_back(IpAddress::parse("fd00::1").value());
  expect_one(
      "advice spec.policy.families: clients in eu/eu-a/eu-1 get no AAAA: the closest endpoints have no IPv6 address");
  object.policy.families = model::Families::Independent;
  EXPECT_THAT(found(), IsEmpty());
  object.policy.families = model::Families::Together;
  records.endpoints["eu-1/n1/10.0.0.11"].addresses = {IpAddress::parse("fd00::2").value()};
  records.endpoints["us-1/n1/10.2.0.11"].addresses.pop_back();
  EXPECT_THAT(found(), ElementsAre(HasSubstr("clients in eu/eu-a/eu-1 get no A: the closest endpoints have no IPv4"),
                                   HasSubstr("clients in us/us-a/us-1 get no AAAA")));
}

TEST_F(LintTest, a_rung_behind_one_that_takes_all_of_it) {
  object.policy.ladder = {rung("region"), rung("cluster+zone"), rung("any")};
  expect_one("warning spec.policy.ladder[1]: the tier is never reached: region before it takes all");
  object.policy.ladder = {rung("any"), rung("zone")};
  expect_one("spec.policy.ladder[1]: the tier is never reached: any before it");
}

TEST_F(LintTest, a_ladder_without_any) {
  object.policy.ladder = {rung("cluster")};
  expect_one("advice spec.policy.ladder: without any");
}

TEST_F(LintTest, names_that_nobody_has) {
  object.policy.fence = model::Fence{{}, {"eu", "ue"}, {}, {}};
  expect_one("warning spec.policy.fence.regions[1]: nothing is in region ue (did you mean \"eu\"?)");
  object.policy.fence.reset();
  object.policy.failover = {{{.region = "eu"}, {{.region = "us", .zone = "us-b"}}}};
  expect_one("spec.policy.failover[0].to[0].zone: nothing is in zone us-b (did you mean \"us-a\"?)");
  object.policy.failover.clear();
  object.policy.distribute = {{{.cluster = "eu-9"}, {{{.region = "eu"}, 100}}}};
  expect_one("spec.policy.distribute[0].from.cluster: nothing is in cluster eu-9");
  object.policy.distribute.clear();
  object.services.front().clusters = {"eu-1", "eu-11"};
  expect_one("spec.services[0].clusters[1]: nothing is in cluster eu-11");
}

TEST_F(LintTest, places_of_external_endpoints_are_known) {
  model::VirtualDestination& other = records.destinations["shop/other"];
  other.meta = {.name = "other", .namespace_ = "shop"};
  other.external_endpoints = {{.address = IpAddress::v4(1), .port = 80, .locality = {.region = "ap"}}};
  object.policy.fence = model::Fence{{}, {"eu", "ap"}, {}, {}};
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(LintTest, nothing_is_unknown_where_nothing_is_known) {
  records.nodes.clear();
  records.endpoints.clear();
  object.policy.fence = model::Fence{{}, {"eu"}, {}, {}};
  expect_one("spec.services[0]: it matches no endpoint");
}

TEST_F(LintTest, a_fence_that_excludes_everything) {
  object.policy.fence = model::Fence{{}, {"eu"}, {}, {"us-1"}};
  expect_one("warning spec.policy.fence: it excludes every endpoint that there is (2)");
  object.policy.fence = model::Fence{model::Part::Subzone, {}, {}, {}};
  expect_one("warning spec.policy.fence: it excludes every endpoint");
  object.policy.fence = model::Fence{model::Part::Region, {}, {}, {}};
  EXPECT_THAT(found(), IsEmpty()) << "who is in the region gets something";
}

TEST_F(LintTest, a_selector_that_matches_nothing) {
  object.services.push_back({"", "", {}, {{"role", "spare"}}, {}});
  object.services.push_back({"bank", "web", {}, {}, {}});
  EXPECT_THAT(found(), ElementsAre("warning spec.services[1]: it matches no endpoint",
                                   "warning spec.services[2]: it matches no endpoint"));
  object.services = {{"", "", {}, {{"role", "primary"}}, {}}};
  EXPECT_THAT(found(), IsEmpty()) << "of labels that no object that is applied asks for";
}

TEST_F(LintTest, ports_that_plain_clients_do_not_reach) {
  object.ports = {{"http", 80, "TCP", "8080", ""}};
  expect_one("advice spec.ports: A and AAAA carry no port: 2 of 2 endpoints listen on 8080, not on 80");
  records.endpoints.begin()->second.ports = {{"http", 80, "TCP", ""}};
  object.ports = {{"http", 80, "TCP", "http", ""}};
  expect_one("1 of 2 endpoints listen on 8080");
}

TEST_F(LintTest, ports_that_the_nodes_map) {
  object.ports = {{"http", 80, "TCP", "8080", "", true}};
  records.endpoints["eu-1/n1/10.0.0.11"].mapped = {{"TCP", 80, 8080}};
  records.endpoints["us-1/n1/10.2.0.11"].mapped = {{"TCP", 80, 8080, "a process listens on 0.0.0.0:80"}};
  EXPECT_THAT(found(), ElementsAre("advice spec.ports: port 80 is mapped by the node for 1 of 2 endpoints",
                                   HasSubstr("1 of 2 endpoints listen on 8080, not on 80; SRV and SVCB tell it")));
  records.endpoints["us-1/n1/10.2.0.11"].mapped = {{"TCP", 80, 8080}};
  expect_one("advice spec.ports: port 80 is mapped by the node for 2 of 2 endpoints");
  records.endpoints["us-1/n1/10.2.0.11"].mapped = {{"UDP", 80, 8080}, {"TCP", 80, 9090}, {"TCP", 81, 8080}};
  EXPECT_EQ(found().size(), 2U) << "another protocol, another target, another number";
}

TEST_F(LintTest, ports_that_lead_to_no_endpoint) {
  object.ports = {{"http", 80, "TCP", "web", ""}};
  expect_one("warning spec.ports[0].targetPort: no endpoint has a TCP port web; they have http (8080)");
  object.ports = {{"http", 80, "TCP", "", ""}};
  expect_one("warning spec.ports[0].number: no endpoint has a TCP port 80; they have http (8080)");
  object.ports = {{"http", 8080, "UDP", "http", ""}};
  expect_one("warning spec.ports[0].targetPort: no endpoint has a UDP port http");
  object.ports = {{"http", 8080, "TCP", "73616", ""}};
  expect_one("no endpoint has a TCP port 73616");  // 8080 + 2^16
  object.ports = {{"http", 8080, "TCP", "8080", ""}};
  EXPECT_THAT(found(), IsEmpty());
  object.services.clear();  // whatever an external endpoint has
  object.external_endpoints = {{IpAddress::parse("192.0.2.1").value(), "", 443, {}, 1}};
  object.ports = {{"http", 80, "TCP", "", ""}};
  EXPECT_THAT(found(), Not(Contains(HasSubstr("no endpoint has"))));
}

TEST_F(LintTest, two_objects_of_a_file_that_claim_one_host) {
  model::VirtualDestination other = object;
  other.meta.name = "app";
  companions.add(object);
  companions.add(other);
  expect_one("warning spec.hosts[0]: shop/app claims it too, in the same file: shop/app has it");
  records.destinations["shop/web"] = object;  // the one that is there already is the older one
  expect_one("warning spec.hosts[0]: shop/app claims it too, in the same file: shop/web has it");
  other.meta.origin = "a/i";  // as old, and of an origin that comes first, as the planner orders them
  records.destinations["shop/web"].meta.origin = "b/i";
  records.destinations["shop/app"] = other;
  expect_one("warning spec.hosts[0]: shop/app claims it too, in the same file: shop/app has it");
}

TEST_F(LintTest, an_instance_of_another_object_of_the_file_is_hidden) {
  model::VirtualDestination nested = object;
  nested.meta.name = "nested";
  nested.hosts = {"10-0-0-11.web.mesh.internal"};
  companions.add(nested);
  EXPECT_THAT(lint_of(nested), IsEmpty());
  companions.add(object);
  EXPECT_THAT(lint_of(nested),
              ElementsAre(HasSubstr("spec.hosts[0]: it hides the instance name of 10.0.0.11 of web.mesh.internal")));
}

TEST_F(LintTest, equal_client_prefixes) {
  model::Cluster eu;
  eu.meta.name = "eu-1";
  eu.client_prefixes = {Prefix::parse("10.42.0.0/16").value()};
  model::Cluster us = eu;
  us.meta.name = "us-1";
  EXPECT_THAT(lint_of(eu), IsEmpty());
  companions.add(eu);
  companions.add(us);
  EXPECT_THAT(lint_of(eu), ElementsAre(HasSubstr("warning spec.clientPrefixes[0]: cluster us-1 has 10.42.0.0/16 too")));
  records.clusters["us-1"] = us;
  us.client_prefixes.clear();  // the file takes it away
  companions = {};
  companions.add(us);
  EXPECT_THAT(lint_of(eu), IsEmpty());
  companions = {};
  EXPECT_THAT(lint_of(eu), ElementsAre(HasSubstr("cluster us-1 has 10.42.0.0/16 too")));
}

TEST_F(LintTest, clients_of_a_prefix_are_drawn_together) {
  object.policy.spill = model::Spill{};
  EXPECT_THAT(found(), IsEmpty());
  records.nodes["eu-1/n1"].prefixes = {Prefix::parse("10.0.0.0/24").value()};
  expect_one("advice spec.policy.spill: clients of one node prefix or client prefix follow one draw");
}

TEST_F(LintTest, names_in_two_spellings) {
  records.nodes["eu-1/n1"].locality.region = "EU";
  add_node("eu-2", "eu", "eu-b");
  expect_one(
      "advice spec.services: region EU is also written eu: names that differ only in the case of letters are one");
  object.policy.fence = model::Fence{{}, {"Eu"}, {}, {}};
  EXPECT_THAT(found(), Contains(HasSubstr("advice spec.policy.fence.regions[0]: region Eu is also written EU, eu")));
  object.policy.fence.reset();
  records.nodes["eu-1/n1"].locality.region = "eu";
  records.endpoints["us-1/n1/10.2.0.11"].service = "Web";
  expect_one("advice spec.services[0]: service shop/Web is also written shop/web");
}

TEST_F(LintTest, failover_places_that_are_never_reached) {
  object.policy.failover = {{{.region = "eu"}, {{.region = "us"}, {.region = "us", .zone = "us-a"}}}};
  expect_one("spec.policy.failover[0].to[1]: never reached: region=us before it covers it");
  object.policy.failover = {{{.region = "eu"}, {{.region = "eu", .zone = "eu-a"}}}};
  expect_one(
      "spec.policy.failover[0].to[0]: never reached: all of region=eu,zone=eu-a is in region=eu, and what is there");
  object.policy.failover = {{{.region = "eu"}, {{.cluster = "eu-1"}}}};
  expect_one("spec.policy.failover[0].to[0]: never reached: all of cluster=eu-1 is in region=eu");
  object.policy.failover = {{{.cluster = "eu-1"}, {{.region = "eu", .cluster = "eu-1"}}}};
  expect_one("spec.policy.failover[0].to[0]: never reached: all of region=eu,cluster=eu-1 is in cluster=eu-1");
  object.policy.failover = {{{.cluster = "eu-1"}, {{.region = "eu"}, {.cluster = "us-1"}}}};
  expect_one("spec.policy.failover[0].to[0]: never reached: all of region=eu is in cluster=eu-1");
  add_node("eu-2", "eu", "eu-b");
  add_endpoint("eu-2", "10.1.0.11", "primary");
  EXPECT_THAT(found(), IsEmpty());
  object.policy.failover = {{{.region = "eu"}, {{.region = "us"}}}, {{.region = "eu"}, {{.region = "us"}}}};
  expect_one("spec.policy.failover[1].from: a rule before it is for the same clients");
}

TEST_F(LintTest, groups_that_nobody_is_in) {
  object.policy.priority_groups = {{{"role", "primary"}}, {{"role", "spare"}}};
  expect_one("spec.policy.priorityGroups[1]: no endpoint belongs to it");
  object.policy.priority_groups = {{}, {{"role", "standby"}}};
  expect_one("spec.policy.priorityGroups[1]: never reached");
}

TEST_F(LintTest, shares) {
  object.policy.distribute = {{{}, {{{.region = "eu"}, 100}, {{.region = "us"}, 0}}}};
  expect_one("advice spec.policy.distribute[0].to[1].percent: 0 %");
  object.policy.distribute = {
      {{}, {{{.region = "eu"}, 50}, {{.zone = "eu-a"}, 25}, {{.region = "eu", .zone = "eu-a"}, 25}}}};
  EXPECT_THAT(found(), ElementsAre(HasSubstr("to[2]: empty: region=eu before it covers it")));
}

TEST_F(LintTest, draws_behind_forwarders) {
  coarse = true;
  EXPECT_THAT(found(), IsEmpty());
  object.policy.spill = model::Spill{};
  expect_one("advice spec.policy.spill: clients behind a trusted forwarder");
  object.policy.spill.reset();
  object.policy.distribute = {{{}, {{{.region = "eu"}, 60}, {{.region = "us"}, 40}}}};
  expect_one("advice spec.policy.distribute: clients behind");
}

TEST_F(LintTest, slow_starts_that_are_too_long_or_too_short) {
  object.policy.slow_start = 11min;
  expect_one("warning spec.policy.slowStart: longer than 10m");
  object.policy.slow_start = 5s;
  expect_one("advice spec.policy.slowStart: not longer than the TTL (5s)");
  object.policy.slow_start = 0s;
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(LintTest, hosts_outside_the_zones_and_hosts_that_are_too_long) {
  object.hosts = {"web.example.org"};
  expect_one("error spec.hosts[0]: web.example.org is below none of the server's zones (mesh.internal)");
  const std::string label(63, 'a');
  object.hosts = {label + "." + label + "." + label + ".aaaaaaa.mesh.internal"};  // 213 characters
  ASSERT_EQ(object.hosts[0].size(), 213U);
  EXPECT_THAT(found(), IsEmpty());
  object.hosts[0].insert(0, "a");
  object.hosts[0] = label + "." + label + "." + label + ".aaaaaaaa.mesh.internal";
  expect_one("warning spec.hosts[0]: longer than 213 characters");
}

TEST_F(LintTest, a_host_that_another_object_has) {
  records.destinations["shop/web"] = object;
  EXPECT_THAT(found(), IsEmpty()) << "it is its own";
  records.destinations.clear();
  records.destinations["shop/old"] = object;
  records.destinations["shop/old"].meta.name = "old";
  expect_one("warning spec.hosts[0]: shop/old claims it too: the older object has it");
}

TEST_F(LintTest, a_nested_host_that_hides_an_instance) {
  object.hosts = {"web.mesh.internal", "10-0-0-11.web.mesh.internal", "10-0-0-99.web.mesh.internal"};
  expect_one("spec.hosts[1]: it hides the instance name of 10.0.0.11 of web.mesh.internal");
  object.hosts = {"10-2-0-11.web.shop.mesh.internal"};
  ++records.services[{"shop", "web"}].endpoints;
  expect_one("spec.hosts[0]: it hides the instance name of 10.2.0.11 of web.shop.mesh.internal");
}

TEST_F(LintTest, external_names_inside_the_own_zones) {
  object.external_endpoints = {{.hostname = "other.mesh.internal", .port = 80},
                               {.hostname = "mesh.internal", .port = 80},
                               {.hostname = "other.example.org", .port = 80}};
  EXPECT_THAT(found(), ElementsAre(HasSubstr("spec.externalEndpoints[0].hostname: other.mesh.internal is inside"),
                                   HasSubstr("spec.externalEndpoints[1].hostname")));
}

TEST_F(LintTest, clusters) {
  model::Cluster cluster;
  cluster.meta.name = "eu-1";
  cluster.distances["us-1"] = 80ms;
  EXPECT_THAT(lint_of(cluster), IsEmpty());
  cluster.distances["us-2"] = 90ms;
  EXPECT_THAT(lint_of(cluster), ElementsAre("warning spec.distances.us-2: nothing is in cluster us-2 (did you mean "
                                            "\"us-1\"?)"));
  cluster.distances.clear();
  cluster.meta.name = "eu1";
  EXPECT_THAT(lint_of(cluster), ElementsAre("warning metadata.name: no node is in this cluster (did you mean "
                                            "\"eu-1\"?)"));
}

TEST_F(LintTest, overrides) {
  model::Override word;
  word.target = {model::TargetKind::Cluster, "eu-1"};
  word.expires = 1;
  EXPECT_THAT(lint_of(word), IsEmpty());
  word.expires = 0;
  EXPECT_THAT(lint_of(word), ElementsAre(HasSubstr("advice spec.expires: not given")));
  word.target.name = "eu1";
  EXPECT_THAT(lint_of(word), Contains("warning spec.target: no endpoint belongs to cluster=eu1 (did you mean "
                                      "\"eu-1\"?)"));
  word.action = model::Action::Freeze;
  EXPECT_EQ(lint_of(word).size(), 1U) << "it has no target";
}

TEST_F(LintTest, targets_of_all_kinds_are_found) {
  using Kind = model::TargetKind;
  for (const model::OverrideTarget& target : {model::OverrideTarget{Kind::Endpoint, "10.0.0.11"},
                                              {Kind::Endpoint, "10.0.0.11:8080"},
                                              {Kind::Node, "eu-1/n1"},
                                              {Kind::Node, "n1"},
                                              {Kind::Service, "shop/web"},
                                              {Kind::Zone, "us-a"},
                                              {Kind::Zone, "us/us-a"}}) {
    EXPECT_EQ(missed(records, target), "") << target_text(target);
  }
  object.external_endpoints = {
      {.address = IpAddress::v4(1), .port = 80, .locality = {.region = "ap", .zone = "ap-a", .cluster = "ap-1"}}};
  records.destinations["shop/web"] = object;
  for (const model::OverrideTarget& target :
       {model::OverrideTarget{Kind::Zone, "ap/ap-a"}, {Kind::Zone, "ap-a"}, {Kind::Cluster, "AP-1"}}) {
    EXPECT_EQ(missed(records, target), "") << target_text(target);
  }
  EXPECT_EQ(missed(records, {Kind::Service, "shop/wep"}),
            "no endpoint belongs to service=shop/wep (did you mean \"shop/web\"?)");
  EXPECT_EQ(missed(records, {Kind::Node, "n9"}), "no endpoint belongs to node=n9 (did you mean \"n1\"?)");
  EXPECT_EQ(missed(records, {Kind::Zone, "mars"}), "no endpoint belongs to zone=mars");
}

}  // namespace
}  // namespace meshdns::topology
