// What explain says of names below hosts, of families, of shared addresses, and of very many endpoints.
#include "dnsd/explain/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "dnsd/answers/compile.h"
#include "dnsd/answers/explain.h"
#include "dnsd/explain/simulation.h"
#include "dnsd/topology/lint.h"
#include "tests/support/cost.h"
#include "tests/support/mesh/asker.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::explain {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ExplanationTest : public testing::Test {
 protected:
  ExplanationTest() {
    mesh.node("eu-1/n1", "10.0.0.0/16");
    mesh.node("us-1/n1", "10.2.0.0/16");
    mesh.settings.explain_allow = std::vector<Prefix>{Prefix{}};
  }

  /// look: is given the scene
  template <class F>
  auto with_scene(F look) {
    topology::Planner planner(mesh.records);
    answers::configure(planner, answers::make_base(mesh.settings, {}));
    const auto table = mesh.table();
    catalog::Catalog catalog;
    const Scene scene{catalog, planner, mesh.settings, *table, TimePoint{2h}, 0};
    return look(scene);
  }
  Result<v1::ExplainReply> explain(const std::string& host, const std::string& client = "10.0.0.9") {
    v1::ExplainRequest request;
    request.set_host(host);
    request.set_client(client);
    return with_scene([&](const Scene& scene) { return explain::explain(scene, request); });
  }
  std::string first_advice(const std::string& host) { return test::must(explain(host)).advice(0); }
  std::string refusal(const std::string& host) { return explain(host).error().message(); }

  /// An endpoint with a port of its own at an address that others may have too
  void share(const std::string& service, const std::string& address, int number) {
    model::Endpoint endpoint = mesh.endpoint("eu-1/n1", service, address);
    mesh.records.endpoints.erase(endpoint.key);
    endpoint.key += "/" + std::to_string(number);
    endpoint.addresses = {test::must(IpAddress::parse(address))};
    endpoint.ports = {{"http", static_cast<std::uint16_t>(9000 + number), "TCP", "http"}};
    mesh.records.endpoints[endpoint.key] = endpoint;
  }

  test::SmallMesh mesh;
};

TEST_F(ExplanationTest, names_below_a_host_are_explained_by_the_host) {
  mesh.endpoint("eu-1/n1", "shop/web", "127.0.0.1,fd00::1");
  mesh.endpoint("us-1/n1", "shop/web", "10.2.0.11");
  const std::string web = "web.shop.mesh.internal";
  const std::map<std::string, std::string> roles = {
      {"_all.", "gives the addresses of every tier"},
      {"_explain.", "gives what is below as TXT records"},
      {"_http._tcp.", "gives SRV records of every tier"},
      {"_8080._http.", "gives SVCB and HTTPS records of every tier"},
      {"127-0-0-1.", "gives 127.0.0.1 and fd00::1 to every client, in any state"},
      {"zone-us-1.pin._zone.", "gives only endpoints in zone zone-us-1"},
      {"eu.prefer._region.", "gives endpoints in region eu while one serves there, else what is below"},
      {"_tcp.", "has no records; names below it have"}};
  for (const auto& [below, role] : roles) {
    const auto reply = test::must(explain(below + web));
    EXPECT_EQ(reply.host(), web);
    EXPECT_EQ(reply.advice(0), below + web + " " + role);
    EXPECT_THAT(reply.answer(), ElementsAre("127.0.0.1", "fd00::1"));
  }
  EXPECT_EQ(test::must(explain("_ALL.Web.shop.mesh.internal.")).host(), web);
  EXPECT_THAT(test::must(explain(web)).advice(), IsEmpty());
}

TEST_F(ExplanationTest, what_is_not_exported_to_the_client_is_counted) {
  for (const char* address : {"10.2.0.11", "10.2.0.12"}) {
    model::Endpoint& pod = mesh.endpoint("us-1/n1", "shop/web", address);
    pod.service.clear();
    pod.memberships = {{.service = "web", .ports = pod.ports.get(), .hostname = "web-0"}};
  }
  const std::string web = "web.shop.mesh.internal";
  const auto elsewhere = test::must(explain(web));
  EXPECT_THAT(elsewhere.advice(), ElementsAre("not exported: 2 endpoints of us-1"));
  EXPECT_THAT(elsewhere.answer(), IsEmpty());
  EXPECT_EQ(elsewhere.note(), "no endpoint is exported to the client's cluster");
  const auto home = test::must(explain(web, "10.2.0.9"));
  EXPECT_THAT(home.advice(), IsEmpty());
  EXPECT_THAT(home.answer(), ElementsAre("10.2.0.11", "10.2.0.12"));
  EXPECT_EQ(first_advice("10-2-0-11." + web),
            "10-2-0-11." + web + " gives 10.2.0.11 to clients of its own cluster, in any state");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  EXPECT_THAT(test::must(explain(web)).advice(), ElementsAre("not exported: 2 endpoints of us-1"));
  EXPECT_THAT(test::must(explain(web)).answer(), ElementsAre("10.0.0.11"));
}

TEST_F(ExplanationTest, names_that_dns_does_not_have_are_not_explained) {
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  EXPECT_EQ(refusal("nope.web.shop.mesh.internal"),
            "no host nope.web.shop.mesh.internal is defined; web.shop.mesh.internal is, but has no such name below it");
  EXPECT_THAT(refusal("10-0-0-99.web.shop.mesh.internal"), HasSubstr("has no such name below it"));
  EXPECT_THAT(refusal("_nope._tcp.web.shop.mesh.internal"), HasSubstr("has no such name below it"));
  EXPECT_EQ(refusal("wbe.shop.mesh.internal"),
            "no host wbe.shop.mesh.internal is defined (did you mean web.shop.mesh.internal?)");
  EXPECT_EQ(refusal("billing.shop.mesh.internal"), "no host billing.shop.mesh.internal is defined");
  EXPECT_EQ(refusal("internal"), "no host internal is defined");
  EXPECT_EQ(refusal(".."), "no host . is defined");
}

TEST_F(ExplanationTest, simulations_take_names_below_hosts_too) {
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  v1::SimulateRequest request;
  request.mutable_explain()->set_host("_all.web.shop.mesh.internal");
  request.mutable_explain()->set_client("10.0.0.9");
  const auto reply = with_scene([&](const Scene& scene) { return simulate(scene, request, {}); });
  EXPECT_EQ(test::must(reply).after().host(), "web.shop.mesh.internal");
}

TEST_F(ExplanationTest, no_client_is_said_to_be_the_server_itself) {
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  const auto reply = test::must(explain("web.shop.mesh.internal", ""));
  EXPECT_EQ(reply.client(), "127.0.0.1");
  EXPECT_THAT(reply.advice(), Contains("no client was given: this is what 127.0.0.1 gets, on the server's own node"));
}

/// eu-1 has IPv4 only, us-1 both.
class FamiliesTest : public ExplanationTest {
 protected:
  FamiliesTest() {
    mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
    mesh.endpoint("us-1/n1", "shop/web", "10.2.0.11,fd02::11");
    mesh.destination("web");
  }
  void independent() { mesh.records.destinations["shop/web"].policy.families = model::Families::Independent; }
  v1::SimulateReply without(const std::string& node) {
    model::Override word;
    word.meta.name = "x";
    word.action = model::Action::Down;
    word.target = {model::TargetKind::Node, node};
    v1::SimulateRequest request;
    request.mutable_explain()->set_host("web.mesh.internal");
    request.mutable_explain()->set_client("10.0.0.9");
    return with_scene([&](const Scene& scene) {
      return test::must(simulate(scene, request, {{{"/x", word}}, {word.target}}));
    });
  }
};

TEST_F(FamiliesTest, together_says_what_the_closest_tier_lacks) {
  const auto reply = test::must(explain("web.mesh.internal"));
  EXPECT_THAT(reply.answer(), ElementsAre("10.0.0.11"));
  EXPECT_THAT(reply.advice(), Contains("AAAA of tier 0: nothing, it has no IPv6 address (families together)"));
}

TEST_F(FamiliesTest, independent_shows_each_family_s_own_tier) {
  independent();
  const auto reply = test::must(explain("web.mesh.internal"));
  EXPECT_THAT(reply.answer(), ElementsAre("10.0.0.11", "fd02::11"));
  EXPECT_THAT(reply.advice(),
              Contains("AAAA of tier 0: from tier 1 any us-1, it has no IPv6 address (families independent)"));
  test::Asker asker(mesh.table(), "10.0.0.9");
  EXPECT_THAT(asker.ask("web.mesh.internal", wire::Type::AAAA).answer, ElementsAre(HasSubstr("fd02::11")));
}

// The closest tier is as before; what changes is the family that it lacks.
TEST_F(FamiliesTest, a_simulation_sees_a_family_that_goes) {
  independent();
  const auto reply = without("us-1/n1");
  EXPECT_THAT(reply.before().answer(), ElementsAre("10.0.0.11", "fd02::11"));
  EXPECT_THAT(reply.after().answer(), ElementsAre("10.0.0.11"));
}

TEST_F(ExplanationTest, addresses_that_endpoints_share_count_once) {
  for (int i = 0; i < 40; ++i) {
    mesh.endpoint("eu-1/n1", "shop/web", "10.0.0." + std::to_string(11 + i % 10) + ",fd00::" + std::to_string(i))
        .ports.edit()[0]
        .number = static_cast<std::uint16_t>(9000 + i);
  }
  mesh.destination("web").max_answers = 8;
  const auto reply = test::must(explain("web.mesh.internal"));
  std::vector<std::string> v4;
  for (const auto& address : reply.answer()) {
    if (address.find(':') == std::string::npos) v4.push_back(address);
  }
  EXPECT_EQ(v4.size(), 10U);
  test::Asker asker(mesh.table(), "10.0.0.9");
  for (int i = 0; i < 50; ++i, asker.unix_seconds += 5) {
    const auto answer = asker.ask_edns("web.mesh.internal", wire::Type::A).answer;
    ASSERT_EQ(std::set(answer.begin(), answer.end()).size(), 8U) << "8 of 10, never fewer";
  }
}

TEST_F(ExplanationTest, the_note_counts_addresses) {
  for (int i = 0; i < 40; ++i) {
    share("shop/web", "10.0.0." + std::to_string(11 + i % 10), i);
    share("shop/few", "10.0.1." + std::to_string(11 + i % 8), i);
  }
  EXPECT_EQ(test::must(explain("web.shop.mesh.internal")).note(), "8 of 10");
  EXPECT_EQ(test::must(explain("few.shop.mesh.internal")).note(), "");
  test::Asker asker(mesh.table(), "10.0.0.9");
  EXPECT_EQ(asker.ask_edns("web.shop.mesh.internal", wire::Type::A).ede(), "0 8 of 10");
  EXPECT_EQ(asker.ask_edns("few.shop.mesh.internal", wire::Type::A).ede(), "");
}

topology::HostPlan large_host(std::uint32_t endpoints) {
  topology::HostPlan out;
  out.name = "web.mesh.internal";
  out.zone = "mesh.internal";
  out.candidates.resize(endpoints);
  for (std::uint32_t i = 0; i < endpoints; ++i) {
    out.candidates[i].v4 = IpAddress::v4(0x0A000000 + i);
    out.candidates[i].since = TimePoint{1h};
  }
  return out;
}

std::vector<answers::ExplainLine> lines_of(const topology::HostPlan& host) {
  static const answers::ClusterRecords kNone;
  const model::Locality client;
  const auto decision = topology::decide(host, {client}, kNone.geography());
  return answers::explain_lines({host, client, kNone.geography()}, decision, {});
}

std::string text_of(const answers::ExplainLine& line) {
  std::string out;
  for (const auto& piece : line) out += piece.text + (piece.since ? "12h34m" : "");
  return out;
}

TEST_F(ExplanationTest, lines_have_a_bound_and_say_what_is_left_out) {
  const auto lines = lines_of(large_host(40000));
  const std::string tier = text_of(lines.at(1));
  EXPECT_LT(tier.size(), 2000U) << "a line of _explain has room for 2,048";
  EXPECT_GT(tier.size(), 1000U);
  EXPECT_THAT(tier, testing::ContainsRegex(" and 39[0-9]{3} more$"));
  EXPECT_THAT(text_of(lines_of(large_host(3)).at(1)), Not(HasSubstr("more")));
}

class CostTest : public ExplanationTest {
 protected:
  /// Returns the processor time of one call of work, in seconds, with so many endpoints of shop/web.
  template <class Work>
  double cost(unsigned endpoints, bool with_names, Work work) {
    mesh.records.endpoints.clear();
    mesh.endpoints("eu-1/n1", "shop/web", endpoints);
    std::uint16_t number = 0;
    for (auto& [key, endpoint] : mesh.records.endpoints) {
      if (!with_names) break;
      std::vector<model::Port> ports;
      for (int i = 0; i < 64; ++i) {
        ++number;
        ports.push_back({"p" + std::to_string(number), number, "TCP", ""});
      }
      endpoint.ports = std::move(ports);
    }
    return with_scene([&](const Scene& scene) { return test::cpu_seconds([&] { work(scene); }); });
  }
  /// Four times the endpoints take about four times as long.
  /// requires: small is large enough to be measured
  template <class Work>
  void expect_linear(unsigned small, bool with_names, Work work) {
    const double one = cost(small, with_names, work);
    const double two = cost(2 * small, with_names, work);
    const double four = cost(4 * small, with_names, work);
    EXPECT_LT(four, one * test::kMostForFourTimes) << "1: " << one << " s, 2: " << two << " s, 4: " << four << " s";
  }

  v1::ExplainRequest request_ = [] {
    v1::ExplainRequest out;
    out.set_host("web.shop.mesh.internal");
    out.set_client("10.0.0.9");
    return out;
  }();
};

// It was quadratic: eleven seconds for 40,000 endpoints.
TEST_F(CostTest, explain_costs_by_the_number_of_endpoints) {
  expect_linear(4000, false,
                [&](const Scene& scene) { ASSERT_EQ(test::must(explain::explain(scene, request_)).tiers_size(), 1); });
}

// 400 endpoints with 64 names of ports each stopped the control thread for 5 s.
TEST_F(CostTest, planning_costs_by_the_number_of_endpoints_and_ports) {
  expect_linear(100, true, [&](const Scene& scene) {
    topology::Planner planner(mesh.records);
    answers::configure(planner, answers::make_base(mesh.settings, {}));
    ASSERT_EQ(planner.take(scene.now).put.size(), 1U);
  });
}

TEST_F(CostTest, compiling_costs_by_the_number_of_endpoints_and_ports) {
  expect_linear(100, true, [&](const Scene&) { ASSERT_TRUE(mesh.table()); });
}

TEST_F(CostTest, explain_costs_by_the_number_of_ports_too) {
  expect_linear(100, true, [&](const Scene& scene) { test::must(explain::explain(scene, request_)); });
}

TEST_F(CostTest, lint_costs_by_the_number_of_endpoints_and_ports) {
  mesh.destination("web");
  mesh.records.destinations["shop/web"].ports = {{.name = "http", .number = 80, .target_port = "p7"}};
  const topology::KnownNames names(mesh.records);
  expect_linear(100, true, [&](const Scene& scene) {
    const topology::LintScene lint_scene{mesh.records, scene.planner, names, {"mesh.internal"}, false, scene.now};
    ASSERT_FALSE(topology::lint(lint_scene, mesh.records.destinations.at("shop/web")).empty());
  });
}

}  // namespace
}  // namespace meshdns::explain
