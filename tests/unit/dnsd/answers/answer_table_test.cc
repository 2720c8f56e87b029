#include "dnsd/answers/answer_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "tests/support/mesh/small_mesh.h"

namespace meshdns::answers {
namespace {

using test::must;
using test::SmallMesh;

std::vector<std::uint8_t> name(const std::string& text) { return must(wire::parse_name(text)); }

AnswerTable::Found find(const AnswerTable& table, const std::string& text) {
  const auto bytes = name(text);
  return table.find(bytes, wire::hash_name(bytes));
}

Node node_of(const std::string& text, std::uint32_t zone = 0) {
  return {.name = name(text), .zone = zone, .rrsets = {}};
}

TEST(NamesTest, FindsNothingWhereThereIsNothing) {
  const AnswerTable table;
  EXPECT_FALSE(find(table, "mesh.internal"));
  table.prefetch(wire::hash_name(name("mesh.internal")));
}

TEST(NamesTest, FindsEachOfManyAndNoOther) {
  Names names;
  for (std::uint32_t i = 0; i < 5000; ++i) names.put(node_of("h" + std::to_string(i) + ".mesh.internal", i));
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const Node* node = names.find_node(name("h" + std::to_string(i) + ".mesh.internal"));
    ASSERT_NE(node, nullptr) << i;
    EXPECT_EQ(node->zone, i);
    EXPECT_EQ(names.find_node(name("i" + std::to_string(i) + ".mesh.internal")), nullptr);
  }
}

TEST(NamesTest, PutReplaces) {
  Names names;
  names.put(node_of("a.mesh.internal", 1));
  names.put(node_of("a.mesh.internal", 2));
  EXPECT_EQ(names.find_node(name("a.mesh.internal"))->zone, 2U);
  EXPECT_EQ(names.nodes().size(), 1U);
}

// What decides is the name, not the hash: a collision must not answer for somebody else.
TEST(AnswerTableTest, EqualHashesAreTwoNames) {
  AnswerTable table;
  Names names;
  names.put(node_of("a.mesh.internal"));
  table.names = std::make_shared<const Names>(std::move(names));
  EXPECT_TRUE(find(table, "a.mesh.internal"));
  EXPECT_FALSE(table.find(name("b.mesh.internal"), wire::hash_name(name("a.mesh.internal"))));
}

TEST(AnswerTableTest, RrsetsByType) {
  Node node;
  node.rrsets = {{wire::Type::A, 60, {}}, {wire::Type::TXT, 30, {}}};
  EXPECT_EQ(node.find(wire::Type::TXT), &node.rrsets[1]);
  EXPECT_EQ(node.find(wire::Type::AAAA), nullptr);
}

TEST(AnswerTableTest, WhoMayExplain) {
  AnswerTable table;
  EXPECT_FALSE(table.may_explain(must(Prefix::parse("10.0.0.1"))));
  Whereabouts where;
  where.explain_allow = {must(Prefix::parse("10.0.0.0/8")), must(Prefix::parse("fd00::/8"))};
  table.where = std::make_shared<const Whereabouts>(where);
  EXPECT_TRUE(table.may_explain(must(Prefix::parse("10.0.0.1"))));
  EXPECT_TRUE(table.may_explain(must(Prefix::parse("fd00::1"))));
  EXPECT_FALSE(table.may_explain(must(Prefix::parse("11.0.0.1"))));
  EXPECT_FALSE(table.may_explain(must(Prefix::parse("fe80::1"))));
}

/// The compiled table of a mesh, looked at instead of asked.
class CompiledTableTest : public testing::Test {
 protected:
  const Host& host(const AnswerTable& table, const std::string& text) {
    const Host* host = find(table, text).host;
    MESHDNS_CHECK(host != nullptr);
    return *host;
  }
  /// The set that clients get whose place is printed like this
  const Set& set(const AnswerTable& table, const Host& of, const std::string& place) {
    const auto& places = table.where->places;
    const auto at = std::ranges::find(places, place);
    MESHDNS_CHECK(at != places.end());
    return table.set(of, static_cast<std::uint32_t>(at - places.begin()));
  }

  SmallMesh mesh;
};

TEST_F(CompiledTableTest, EmptyNonTerminalsExist) {
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.1");
  mesh.fixed("a.b.c 60 TXT x");
  const auto table = mesh.table();
  for (const char* between : {"shop.mesh.internal", "b.c.mesh.internal", "c.mesh.internal"}) {
    const Node* node = find(*table, between).node;
    ASSERT_NE(node, nullptr) << between;
    EXPECT_TRUE(node->rrsets.empty());
  }
  EXPECT_FALSE(find(*table, "internal"));
}

TEST_F(CompiledTableTest, StaticRecordsShareOneTtlAndNoDuplicates) {
  mesh.fixed("x 60 A 10.0.0.1");
  mesh.fixed("x 20 A 10.0.0.2");
  mesh.fixed("x 90 A 10.0.0.1");
  const auto table = mesh.table();
  const Rrset* rrset = find(*table, "x.mesh.internal").node->find(wire::Type::A);
  ASSERT_NE(rrset, nullptr);
  EXPECT_EQ(rrset->ttl, 20U);
  EXPECT_EQ(rrset->rdata.size(), 2U);
}

TEST_F(CompiledTableTest, EachPlaceHasItsOwnTiers) {
  mesh.node("eu-1/n1", "10.0.0.0/16");
  mesh.node("us-1/n1", "10.2.0.0/16");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  mesh.endpoint("us-1/n1", "shop/web", "10.2.0.11");
  const auto table = mesh.table();
  const Host& web = host(*table, "web.shop.mesh.internal");
  EXPECT_FALSE(web.same_for_all);
  const Set& eu = set(*table, web, "eu/zone-eu-1/eu-1");
  const Set& us = set(*table, web, "us/zone-us-1/us-1");
  ASSERT_EQ(web.rows_of(eu).size(), 2U);
  EXPECT_EQ(web.tiers(eu).size(), 2U);
  EXPECT_EQ(web.rows()[web.rows_of(eu)[0]].v4, (std::array<std::uint8_t, 4>{10, 0, 0, 11}));
  EXPECT_EQ(web.rows()[web.rows_of(us)[0]].v4, (std::array<std::uint8_t, 4>{10, 2, 0, 11}));
}

TEST_F(CompiledTableTest, EqualSetsAreShared) {
  for (const char* node : {"eu-1/n1", "eu-2/n1", "us-1/n1", "us-2/n1"}) mesh.node(node, "");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  mesh.destination("web").ladder = {must(model::parse_rung("any"))};
  const auto table = mesh.table();
  const Host& web = host(*table, "web.mesh.internal");
  EXPECT_EQ(web.sets().size(), 1U);
  EXPECT_TRUE(web.same_for_all);
}

TEST_F(CompiledTableTest, PortsByRow) {
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.2").ports = {{"Admin", 9000, "TCP", ""}, {"quic", 443, "UDP", ""}};
  const auto table = mesh.table();
  const Host& web = host(*table, "web.shop.mesh.internal");
  ASSERT_EQ(web.ports().size(), 3U);
  EXPECT_EQ(web.ports()[0].name, "http");
  EXPECT_EQ(web.port_number(0, 0), 8080);
  EXPECT_EQ(web.port_number(0, 1), 0);
  EXPECT_EQ(web.ports()[1].name, "admin") << "folded";
  EXPECT_TRUE(web.ports()[1].tcp);
  EXPECT_FALSE(web.ports()[2].tcp);
  EXPECT_EQ(web.port_number(2, 0), 0);
  EXPECT_EQ(web.port_number(2, 1), 443);
}

TEST_F(CompiledTableTest, WeightsOfTheAnswerTier) {
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/even", "10.0.0.1");
  mesh.endpoint("eu-1/n1", "shop/even", "10.0.0.2");
  mesh.endpoint("eu-1/n1", "shop/uneven", "10.0.0.1");
  mesh.endpoint("eu-1/n1", "shop/uneven", "10.0.0.2").weight = 3;
  const auto table = mesh.table();
  for (const Set& set : host(*table, "even.shop.mesh.internal").sets()) EXPECT_TRUE(set.equal_weights);
  for (const Set& set : host(*table, "uneven.shop.mesh.internal").sets()) EXPECT_FALSE(set.equal_weights);
}

// A host keeps what it was compiled from, whatever its endpoints lack.
TEST(HostTest, ThePlanComesBack) {
  topology::HostPlan plan;
  plan.name = "web.shop.mesh.internal";
  plan.object = "shop/web";
  plan.ports = {{"http", "TCP", 0, "http"}, {"dns", "UDP", 53, ""}};
  plan.policy.max_answers = 256;
  for (unsigned i = 0; i < 300; ++i) {
    topology::Candidate& candidate = plan.candidates.emplace_back();
    if (i % 3 != 0) candidate.v4 = IpAddress::v4(0x0A000000 + i);
    if (i % 3 != 1) candidate.v6 = test::must(IpAddress::parse("fd00::" + std::to_string(i)));
    candidate.port = static_cast<std::uint16_t>(i);
    candidate.ports = {static_cast<std::uint16_t>(i % 7), 53};
    candidate.locality = {.zone = "z" + std::to_string(i % 5), .node = "n" + std::to_string(i)};
    candidate.weight = i * 200;
    candidate.standing = static_cast<topology::Standing>(i % 5);
    candidate.in_doubt = i % 2 == 0;
    candidate.why = i % 4 == 0 ? "" : "http " + std::to_string(i);
    candidate.since = TimePoint((static_cast<int>(i) - 100) * 100ms);  // before the machine's start too
  }
  HostParts parts;
  const ClusterRecords clusters;
  const auto host =
      compile_host(plan, {test::must(wire::parse_name(plan.name)), 0, 0, {{}}, clusters.geography()}, parts);
  const topology::HostPlan back = plan_of(*host, "");
  EXPECT_EQ(back.name, plan.name);
  EXPECT_EQ(back.object, plan.object);
  EXPECT_EQ(back.policy, plan.policy);
  EXPECT_EQ(back.ports, plan.ports);
  ASSERT_EQ(back.candidates.size(), plan.candidates.size());
  const auto parts_of = [](const topology::Candidate& from) {
    return std::tie(from.v4, from.v6, from.port, from.ports, from.locality, from.weight, from.standing, from.in_doubt,
                    from.why, from.since);
  };
  for (std::size_t i = 0; i < plan.candidates.size(); ++i) {
    EXPECT_EQ(parts_of(back.candidates[i]), parts_of(plan.candidates[i])) << i;
  }
}

TEST_F(CompiledTableTest, TwelveEndpointsInFourPlacesAreSmall) {
  for (const char* place : {"1", "2", "3", "4"}) {
    const std::string node = std::string("r") + place + "-1/n1";
    mesh.node(node, std::string("127.") + place + ".0.0/16");
    for (const char* last : {"1", "2", "3"}) {
      mesh.endpoint(node, "shop/web", std::string("10.") + place + ".0." + last);
      mesh.endpoint(node, "shop/other", std::string("10.") + place + ".1." + last);
    }
  }
  const auto table = mesh.table();
  const Host& web = host(*table, "web.shop.mesh.internal");
  const Host& other = host(*table, "other.shop.mesh.internal");
  EXPECT_EQ(web.sets().size(), 5U) << "who is nowhere has an order of its own";
  EXPECT_LE(web.memory(), 480U);
  EXPECT_EQ(web.spec.get(), other.spec.get());
  EXPECT_EQ(web.localities.get(), other.localities.get());
  EXPECT_EQ(web.texts.get(), other.texts.get());
}

}  // namespace
}  // namespace meshdns::answers
