#include "tests/unit/dnsd/topology/plan_fixture.h"

#include <gmock/gmock.h>

namespace meshdns::topology {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using enum model::HealthState;

class PlanTest : public PlanFixture {
 protected:
  model::VirtualDestination& add_object(const std::string& name, const std::vector<std::string>& hosts) {
    model::VirtualDestination& out = records_.destinations["shop/" + name];
    out.meta.name = name;
    out.meta.namespace_ = "shop";
    out.meta.created = 1;
    out.hosts = hosts;
    out.services = {{"", "web", {}, {}, {}}};
    return out;
  }
  std::vector<std::string> hosts() const {
    std::vector<std::string> out;
    for (const HostPlan& host : plan().hosts)
      out.push_back(host.name + (host.object.empty() ? "" : " of " + host.object));
    return out;
  }
  std::vector<std::string> candidates(const std::string& name) const {
    std::vector<std::string> out;
    for (const Candidate& candidate : host(name).candidates) out.push_back(candidate.key);
    return out;
  }
  std::string only_conflict() const {
    const auto conflicts = plan().conflicts;
    EXPECT_EQ(conflicts.size(), 1U);
    return conflicts.empty() ? "" : conflicts[0].object + ": " + conflicts[0].message;
  }
};

// ---- which hosts there are ----

TEST_F(PlanTest, every_reported_service_has_a_name_even_without_endpoints) {
  add("eu-1/n1", "a");
  records_.services[{"shop", "gone"}];
  EXPECT_THAT(hosts(), ElementsAre("gone.shop.mesh.internal", "web.shop.mesh.internal"));
  EXPECT_THAT(candidates("gone.shop.mesh.internal"), IsEmpty());
  naming_.auto_hosts.clear();
  EXPECT_THAT(hosts(), IsEmpty());
}

TEST_F(PlanTest, automatic_names_follow_their_template_in_every_zone) {
  add("eu-1/n1", "a");
  naming_ = {.zones = {"mesh.internal", "example.com"}, .auto_hosts = "{service}-{namespace}.{zone}"};
  EXPECT_THAT(hosts(), ElementsAre("web-shop.example.com", "web-shop.mesh.internal"));
}

TEST_F(PlanTest, an_object_replaces_the_automatic_host) {
  add("eu-1/n1", "a");
  add_object("app", {"web.shop.mesh.internal"});
  EXPECT_THAT(hosts(), ElementsAre("web.shop.mesh.internal of shop/app"));
  EXPECT_THAT(plan().conflicts, IsEmpty());
}

TEST_F(PlanTest, of_two_services_that_make_one_name_the_older_has_it_then_the_lesser_name) {
  naming_.auto_hosts = "{service}.{zone}";
  add("eu-1/n1", "a");
  add("eu-1/n1", "b").namespace_ = "blog";
  records_.services[{"shop", "web"}].created = 100;
  records_.services[{"blog", "web"}].created = 200;
  EXPECT_THAT(candidates("web.mesh.internal"), ElementsAre("eu-1/n1/a"));
  EXPECT_EQ(only_conflict(), "service blog/web: host web.mesh.internal belongs to service shop/web, which is older");
  records_.services[{"blog", "web"}].created = 99;
  EXPECT_THAT(candidates("web.mesh.internal"), ElementsAre("eu-1/n1/b"));
  records_.services[{"blog", "web"}].created = 100;
  EXPECT_THAT(candidates("web.mesh.internal"), ElementsAre("eu-1/n1/b")) << "equal ages: by name";
}

// Guards against the first come: the planner hears of the older service last.
TEST_F(PlanTest, an_older_service_that_comes_later_takes_its_host_back) {
  naming_.auto_hosts = "{service}.{zone}";
  add("eu-1/n1", "a");
  records_.services[{"shop", "web"}].created = 100;
  Planner planner(records_);
  planner.configure(naming_, [](const std::string&) { return false; });
  planner.take(TimePoint{1h});
  model::Endpoint& other = add("eu-1/n1", "b");
  other.namespace_ = "blog";
  planner.endpoint_entered(other);
  records_.services[{"blog", "web"}] = {.endpoints = 1, .created = 50};
  planner.service_changed({"blog", "web"});
  const auto changes = planner.take(TimePoint{1h});
  ASSERT_EQ(changes.put.size(), 1U);
  EXPECT_EQ(changes.put[0].candidates.at(0).key, "eu-1/n1/b");
  EXPECT_EQ(planner.services_without_host(), 1U);
  records_.services[{"blog", "web"}].created = 150;  // what its federation says after all
  planner.service_changed({"blog", "web"});
  EXPECT_EQ(planner.take(TimePoint{1h}).put.at(0).candidates.at(0).key, "eu-1/n1/a");
}

TEST_F(PlanTest, of_two_objects_the_older_has_the_host_then_the_lesser_name) {
  add_object("b", {"app.mesh.internal"});
  add_object("a", {"app.mesh.internal"});
  EXPECT_THAT(hosts(), ElementsAre("app.mesh.internal of shop/a"));
  EXPECT_EQ(only_conflict(), "shop/b: host app.mesh.internal belongs to shop/a");
  records_.destinations["shop/a"].meta.created = 2;
  EXPECT_THAT(hosts(), ElementsAre("app.mesh.internal of shop/b"));
}

TEST_F(PlanTest, hosts_are_below_a_zone_and_beside_static_records) {
  add_object("a", {"mesh.internal"});
  EXPECT_THAT(only_conflict(), HasSubstr("below none"));
  add_object("a", {"other.example"});
  EXPECT_THAT(only_conflict(), HasSubstr("below none"));
  add_object("a", {"xmesh.internal"});
  EXPECT_THAT(only_conflict(), HasSubstr("below none"));
  add_object("a", {"static.mesh.internal", "good.mesh.internal"});
  EXPECT_THAT(only_conflict(), HasSubstr("static records"));
  EXPECT_THAT(hosts(), ElementsAre("good.mesh.internal of shop/a"));
}

TEST(ZoneOf, is_the_longest_that_it_is_below) {
  const std::vector<std::string> zones = {"internal", "mesh.internal"};
  EXPECT_EQ(zone_of(zones, "a.mesh.internal"), "mesh.internal");
  EXPECT_EQ(zone_of(zones, "mesh.internal"), "") << "the apex of one zone, though below another";
  EXPECT_EQ(zone_of(zones, "internal"), "");
  EXPECT_EQ(zone_of(zones, "a.example"), "");
}

// ---- what is spoken on their ports ----

TEST_F(PlanTest, the_mapping_says_what_a_port_speaks_else_an_endpoint_does) {
  add("eu-1/n1", "a").ports = {{"http", 8080, "TCP", ""}, {"tls", 8443, "TCP", "https"}};
  add("eu-1/n1", "b").ports = {{"http", 8080, "TCP", "http"}, {"tls", 8443, "TCP", "grpc"}};
  const auto spoken = [&](const std::string& name) {
    std::vector<std::string> out;
    for (const HostPort& port : host(name).ports) out.push_back(port.name + " " + port.app_protocol);
    return out;
  };
  EXPECT_THAT(spoken("web.shop.mesh.internal"), ElementsAre("http http", "tls https"));
  auto& object = add_object("app", {"app.mesh.internal"});
  object.services = {{"shop", "web", {}, {}}};
  object.ports = {
      {"own", 80, "TCP", "http", "h2c"}, {"by-name", 443, "TCP", "tls", ""}, {"by-number", 444, "TCP", "8443", ""}};
  object.ports.push_back({"nobody", 90, "TCP", "9000", ""});
  EXPECT_THAT(spoken("app.mesh.internal"), ElementsAre("own h2c", "by-name https", "by-number https", "nobody "));
}

// ---- which endpoints stand behind them ----

TEST_F(PlanTest, selectors_add_up_and_each_endpoint_counts_once) {
  add("eu-1/n1", "a").labels = {{"tier", "gold"}};
  add("us-1/n2", "b");
  add("us-1/n2", "c", "api");
  add("us-1/n2", "d").namespace_ = "other";
  auto& object = add_object("app", {"app.mesh.internal"});
  EXPECT_THAT(candidates("app.mesh.internal"), ElementsAre("eu-1/n1/a", "us-1/n2/b"));
  object.services = {{"", "", {}, {{"tier", "gold"}}}, {"", "web", {"eu-1"}, {}}};
  EXPECT_THAT(candidates("app.mesh.internal"), ElementsAre("eu-1/n1/a"));
  object.services = {{"", "", {"us-1"}, {}}};
  EXPECT_THAT(candidates("app.mesh.internal"), ElementsAre("us-1/n2/b", "us-1/n2/c"));
  object.services = {{"other", "web", {}, {}}};
  EXPECT_THAT(candidates("app.mesh.internal"), ElementsAre("us-1/n2/d"));
}

TEST_F(PlanTest, ports_are_mapped_by_number_or_by_name) {
  add("eu-1/n1", "a");
  add("eu-1/n1", "b").ports = {{"admin", 9000, "TCP", ""}};
  auto& object = add_object("app", {"app.mesh.internal"});
  object.ports = {{"http", 80, "TCP", "http", ""}, {"fixed", 81, "TCP", "8181", ""}, {"same", 82, "TCP", "", ""}};
  const HostPlan plan = host("app.mesh.internal");
  EXPECT_THAT(plan.candidates[0].ports, ElementsAre(8080, 8181, 82));
  EXPECT_THAT(plan.candidates[1].ports, ElementsAre(0, 8181, 82)) << "it has no port http";
}

TEST_F(PlanTest, without_a_mapping_ports_are_those_that_endpoints_name) {
  add("eu-1/n1", "a");
  add("eu-1/n1", "b").ports = {{"http", 8081, "TCP", ""}, {"dns", 53, "UDP", ""}};
  const HostPlan plan = host("web.shop.mesh.internal");
  ASSERT_EQ(plan.ports.size(), 2U);
  EXPECT_THAT(plan.candidates[0].ports, ElementsAre(8080, 0));
  EXPECT_THAT(plan.candidates[1].ports, ElementsAre(8081, 53));
}

// ---- how they stand ----

TEST_F(PlanTest, standing_is_of_health_and_of_the_agents_silence) {
  model::Endpoint& endpoint = add("eu-1/n1", "a");
  const auto standing = [&](model::HealthState state, bool silent) {
    endpoint.health.state = state;
    records_.statuses.clear();
    if (silent) records_.statuses["eu-1/n1"] = {true, true, TimePoint{1h}};
    return host("web.shop.mesh.internal").candidates[0].standing;
  };
  EXPECT_EQ(standing(Serving, false), Standing::Serving);
  EXPECT_EQ(standing(Draining, false), Standing::Draining);
  EXPECT_EQ(standing(Failing, false), Standing::Failing);
  EXPECT_EQ(standing(Pending, false), Standing::Out);
  EXPECT_EQ(standing(Serving, true), Standing::Silent);
  EXPECT_EQ(standing(Draining, true), Standing::Silent);
  EXPECT_EQ(standing(Failing, true), Standing::Failing);
  EXPECT_EQ(standing(Pending, true), Standing::Out);
}

TEST_F(PlanTest, a_late_agent_puts_its_endpoints_in_doubt) {
  add("eu-1/n1", "a");
  add("us-1/n2", "b");
  records_.statuses["eu-1/n1"] = {false, true, TimePoint{1h}};
  const auto candidates = host("web.shop.mesh.internal").candidates;
  EXPECT_TRUE(candidates[0].in_doubt);
  EXPECT_EQ(candidates[0].standing, Standing::Serving);
  EXPECT_FALSE(candidates[1].in_doubt);
}

TEST_F(PlanTest, the_first_address_of_each_family_is_answered) {
  add("eu-1/n1", "a").addresses = {IpAddress::parse("fd00::1").value(), IpAddress::parse("10.0.0.1").value(),
                                   IpAddress::parse("10.0.0.2").value(), IpAddress::parse("fd00::2").value()};
  const Candidate candidate = host("web.shop.mesh.internal").candidates[0];
  EXPECT_EQ(candidate.v4->text(), "10.0.0.1");
  EXPECT_EQ(candidate.v6->text(), "fd00::1");
  EXPECT_EQ(candidate.address_text(), "10.0.0.1:8080");
}

TEST_F(PlanTest, a_place_is_the_nodes_and_what_its_cluster_adds_if_they_agree) {
  records_.clusters["eu-1"].locality.region = "eu";
  records_.clusters["eu-1"].locality.zone = "eu-a";
  EXPECT_EQ(locality_of(records_, "eu-1/n1").text(), "eu/eu-a/eu-1");
  records_.nodes["eu-1/n1"].locality.region = "us";
  EXPECT_EQ(locality_of(records_, "eu-1/n1").text(), "us/-/eu-1");
  EXPECT_EQ(locality_of(records_, "eu-1/unheard-of"), model::Locality{});
}

// ---- external endpoints by hostname ----

class ExternalNameTest : public PlanTest {
 protected:
  ExternalNameTest() {
    model::VirtualDestination& object = add_object("db", {"db.mesh.internal"});
    object.services.clear();
    object.external_endpoints.push_back({.hostname = "db.example.net", .port = 443, .weight = 3});
  }
  void resolve(std::initializer_list<const char*> addresses) {
    auto& known = records_.external_names["db.example.net"].addresses;
    for (const char* address : addresses) known.push_back(IpAddress::parse(address).value());
  }
  /// "v4 v6 weight" of each
  std::vector<std::string> endpoints() const {
    std::vector<std::string> out;
    for (const Candidate& candidate : host("db.mesh.internal").candidates) {
      EXPECT_EQ(candidate.why, "external db.example.net");
      out.push_back((candidate.v4 ? candidate.v4->text() : "-") + " " + (candidate.v6 ? candidate.v6->text() : "-") +
                    " " + std::to_string(candidate.weight));
    }
    return out;
  }
};

TEST_F(ExternalNameTest, one_that_was_never_resolved_gives_no_endpoint) { EXPECT_THAT(endpoints(), IsEmpty()); }

TEST_F(ExternalNameTest, each_address_is_an_endpoint_and_both_families_make_one) {
  resolve({"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"});
  EXPECT_THAT(endpoints(), ElementsAre("192.0.2.1 2001:db8::1 3", "192.0.2.2 2001:db8::2 3", "192.0.2.3 - 3"));
}

TEST_F(ExternalNameTest, an_override_is_for_one_address_or_for_the_whole_hostname) {
  resolve({"192.0.2.1", "192.0.2.2"});
  const auto standings = [this](const char* target) {
    model::Override& word = records_.overrides["one"];
    word.meta.name = "one";
    word.action = model::Action::Drain;
    word.target = {model::TargetKind::Endpoint, target};
    std::vector<Standing> out;
    for (const Candidate& candidate : host("db.mesh.internal").candidates) out.push_back(candidate.standing);
    return out;
  };
  EXPECT_THAT(standings("192.0.2.2:443"), ElementsAre(Standing::Serving, Standing::Draining));
  EXPECT_THAT(standings("external db.example.net:443"), ElementsAre(Standing::Draining, Standing::Draining));
}

}  // namespace
}  // namespace meshdns::topology
