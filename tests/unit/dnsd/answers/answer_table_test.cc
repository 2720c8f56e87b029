#include "dnsd/answers/answer_table.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/mesh/small_mesh.h"

namespace meshdns::answers {
namespace {

using test::must;
using test::SmallMesh;

std::vector<std::uint8_t> name(const std::string& text) { return must(wire::parse_name(text)); }

const Node* find(const AnswerTable& table, const std::string& text) {
  const auto bytes = name(text);
  return table.find(bytes, wire::hash_name(bytes));
}

Node node_of(std::uint32_t host) { return {.zone = 0, .host = host, .rrsets = {}}; }

TEST(AnswerTableTest, FindsNothingInAnEmptyOne) {
  const AnswerTable table;
  EXPECT_EQ(find(table, "mesh.internal"), nullptr);
  table.prefetch(wire::hash_name(name("mesh.internal")));
}

TEST(AnswerTableTest, FindsEachOfManyAndNoOther) {
  AnswerTable table;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(table.put(name("h" + std::to_string(i) + ".mesh.internal"), node_of(i)).host, i);
  }
  for (std::uint32_t i = 0; i < 5000; ++i) {
    const Node* node = find(table, "h" + std::to_string(i) + ".mesh.internal");
    ASSERT_NE(node, nullptr) << i;
    EXPECT_EQ(node->host, i);
    EXPECT_EQ(find(table, "i" + std::to_string(i) + ".mesh.internal"), nullptr);
  }
}

TEST(AnswerTableTest, PutReplaces) {
  AnswerTable table;
  table.put(name("a.mesh.internal"), node_of(1));
  table.put(name("a.mesh.internal"), node_of(2));
  EXPECT_EQ(find(table, "a.mesh.internal")->host, 2U);
}

// What decides is the name, not the hash: a collision must not answer for somebody else.
TEST(AnswerTableTest, EqualHashesAreTwoNames) {
  AnswerTable table;
  const auto real = name("a.mesh.internal");
  table.put(real, node_of(1));
  EXPECT_EQ(table.find(name("b.mesh.internal"), wire::hash_name(real)), nullptr);
}

TEST(AnswerTableTest, RrsetsByType) {
  Node node;
  node.rrsets = {{wire::Type::A, 60, {}}, {wire::Type::TXT, 30, {}}};
  EXPECT_EQ(node.find(wire::Type::TXT), &node.rrsets[1]);
  EXPECT_EQ(node.find(wire::Type::AAAA), nullptr);
}

TEST(AnswerTableTest, WhoMayExplain) {
  AnswerTable table;
  EXPECT_FALSE(table.may_explain(must(IpAddress::parse("10.0.0.1"))));
  table.explain_allow = {must(Prefix::parse("10.0.0.0/8")), must(Prefix::parse("fd00::/8"))};
  EXPECT_TRUE(table.may_explain(must(IpAddress::parse("10.0.0.1"))));
  EXPECT_TRUE(table.may_explain(must(IpAddress::parse("fd00::1"))));
  EXPECT_FALSE(table.may_explain(must(IpAddress::parse("11.0.0.1"))));
  EXPECT_FALSE(table.may_explain(must(IpAddress::parse("fe80::1"))));
}

/// The compiled table of a mesh, looked at instead of asked.
class CompiledTableTest : public testing::Test {
 protected:
  const Host& host(const AnswerTable& table, const std::string& text) {
    return table.hosts.at(find(table, text)->host);
  }
  /// The set that clients get whose place is printed like this
  const Set& set(const AnswerTable& table, const Host& of, const std::string& place) {
    const auto at = std::ranges::find(table.places, place);
    MESHDNS_CHECK(at != table.places.end());
    return table.set(of, static_cast<std::uint32_t>(at - table.places.begin()));
  }

  SmallMesh mesh;
};

TEST_F(CompiledTableTest, EmptyNonTerminalsExist) {
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.1");
  mesh.fixed("a.b.c 60 TXT x");
  const auto table = mesh.table();
  for (const char* between : {"shop.mesh.internal", "b.c.mesh.internal", "c.mesh.internal"}) {
    const Node* node = find(*table, between);
    ASSERT_NE(node, nullptr) << between;
    EXPECT_EQ(node->host, kNone);
    EXPECT_TRUE(node->rrsets.empty());
  }
  EXPECT_EQ(find(*table, "internal"), nullptr);
}

TEST_F(CompiledTableTest, StaticRecordsShareOneTtlAndNoDuplicates) {
  mesh.fixed("x 60 A 10.0.0.1");
  mesh.fixed("x 20 A 10.0.0.2");
  mesh.fixed("x 90 A 10.0.0.1");
  const auto table = mesh.table();
  const Rrset* rrset = find(*table, "x.mesh.internal")->find(wire::Type::A);
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
  ASSERT_EQ(eu.rows.size(), 2U);
  EXPECT_EQ(eu.tiers.size(), 2U);
  EXPECT_EQ(web.rows[eu.rows[0]].v4, (std::array<std::uint8_t, 4>{10, 0, 0, 11}));
  EXPECT_EQ(web.rows[us.rows[0]].v4, (std::array<std::uint8_t, 4>{10, 2, 0, 11}));
}

TEST_F(CompiledTableTest, EqualSetsAreShared) {
  for (const char* node : {"eu-1/n1", "eu-2/n1", "us-1/n1", "us-2/n1"}) mesh.node(node, "");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  mesh.destination("web").ladder = {must(model::parse_rung("any"))};
  const auto table = mesh.table();
  const Host& web = host(*table, "web.mesh.internal");
  EXPECT_EQ(web.sets.size(), 1U);
  EXPECT_TRUE(web.same_for_all);
}

TEST_F(CompiledTableTest, PortsByRow) {
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.1");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.2").ports = {{"Admin", 9000, "TCP", ""}, {"quic", 443, "UDP", ""}};
  const auto table = mesh.table();
  const Host& web = host(*table, "web.shop.mesh.internal");
  ASSERT_EQ(web.ports.size(), 3U);
  EXPECT_EQ(web.ports[0].name, "http");
  EXPECT_EQ(web.ports[0].numbers, (std::vector<std::uint16_t>{8080, 0}));
  EXPECT_EQ(web.ports[1].name, "admin") << "folded";
  EXPECT_TRUE(web.ports[1].tcp);
  EXPECT_FALSE(web.ports[2].tcp);
  EXPECT_EQ(web.ports[2].numbers, (std::vector<std::uint16_t>{0, 443}));
}

TEST_F(CompiledTableTest, WeightsOfTheAnswerTier) {
  mesh.node("eu-1/n1");
  mesh.endpoint("eu-1/n1", "shop/even", "10.0.0.1");
  mesh.endpoint("eu-1/n1", "shop/even", "10.0.0.2");
  mesh.endpoint("eu-1/n1", "shop/uneven", "10.0.0.1");
  mesh.endpoint("eu-1/n1", "shop/uneven", "10.0.0.2").weight = 3;
  const auto table = mesh.table();
  for (const Set& set : host(*table, "even.shop.mesh.internal").sets) EXPECT_TRUE(set.equal_weights);
  for (const Set& set : host(*table, "uneven.shop.mesh.internal").sets) EXPECT_FALSE(set.equal_weights);
}

}  // namespace
}  // namespace meshdns::answers
