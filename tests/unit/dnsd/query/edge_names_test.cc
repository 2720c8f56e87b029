// Names at the edges of what there is: too long, too deep, of no family, and all of them before anything is known.
#include <gtest/gtest.h>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Type;

const std::string kZeros = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.";  // of an address like fd00::61

/// Labels of this size in all
std::string padding(std::size_t size) {
  std::string out;
  while (out.size() < size) out += std::string(std::min<std::size_t>(50, size - out.size() - 1), 'x') + ".";
  return out;
}

TEST(EdgeNamesTest, NothingIsKnownYet) {
  auto table = std::make_shared<answers::AnswerTable>(*standard_mesh().table());
  table->not_ready = true;
  Asker asker{table};
  for (const char* name : {"mesh.internal", "web.shop.mesh.internal", "a.b.c.nowhere.mesh.internal"}) {
    const Reply reply = asker.ask_edns(name, Type::A);
    EXPECT_EQ(reply.rcode, 2) << name;
    EXPECT_EQ(reply.ede(), "14") << name;
    EXPECT_FALSE(reply.aa) << name;
    EXPECT_TRUE(reply.answer.empty() && reply.authority.empty()) << name;
  }
  const Reply foreign = asker.ask_edns("example.org", Type::A);
  EXPECT_EQ(foreign.rcode, 5);
  EXPECT_EQ(foreign.ede(), "20");
}

TEST(EdgeNamesTest, BelowAHost) {
  Asker asker{standard_mesh().table()};
  for (const char* name :
       {"_ldap.web.shop.mesh.internal", "a.b.c.web.shop.mesh.internal", "a.b.c.d.web.shop.mesh.internal",
        "1-2-3.web.shop.mesh.internal", "fd00-0-0-0-0-0-0-12.web.shop.mesh.internal"}) {
    EXPECT_EQ(asker.ask(name, Type::A).rcode, 3) << name;
  }
  EXPECT_EQ(asker.ask("10-0-0-11.web.shop.mesh.internal", Type::A).answer.size(), 1U);
}

TEST(EdgeNamesTest, AServiceWithoutSuchAPort) {
  SmallMesh mesh = standard_mesh();
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.13").ports.push_back({"https", 443, "TCP", "https"});
  Asker asker{mesh.table()};
  EXPECT_EQ(asker.ask("web.shop.mesh.internal", Type::HTTPS).answer.size(), 1U);
  // RFC 9460 9.1: HTTPS records of port 443 are the host's own, those of http are not made
  EXPECT_TRUE(asker.ask("_443._https.web.shop.mesh.internal", Type::HTTPS).answer.empty());
  EXPECT_TRUE(asker.ask("_8080._http.web.shop.mesh.internal", Type::HTTPS).answer.empty());
  EXPECT_EQ(asker.ask("_8081._http.web.shop.mesh.internal", Type::HTTPS).rcode, 3);
}

TEST(EdgeNamesTest, MailHosts) {
  SmallMesh mesh = standard_mesh();
  mesh.fixed("mail 60 MX 10 deep.er");
  EXPECT_EQ(Asker{mesh.table()}.ask("mail.mesh.internal", Type::MX).answer,
            std::vector<std::string>{"mail.mesh.internal. 60 IN MX 10 deep.er.mesh.internal."});
}

TEST(EdgeNamesTest, AnAddressOfEachFamilyHasAName) {
  SmallMesh mesh = standard_mesh();
  mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
  mesh.settings.zones.push_back({"d.f.ip6.arpa", {}, ""});
  mesh.destination("web");
  Asker asker{mesh.table()};
  EXPECT_EQ(asker.ask("11.0.0.10.in-addr.arpa", Type::PTR).answer.size(), 1U);
  EXPECT_EQ(asker.ask("1.1." + kZeros + "d.f.ip6.arpa", Type::PTR).answer.size(), 1U);
  EXPECT_EQ(asker.ask("2.1." + kZeros + "d.f.ip6.arpa", Type::PTR).rcode, 3);
  EXPECT_EQ(asker.ask("99.10.in-addr.arpa", Type::PTR).rcode, 3);
  EXPECT_EQ(asker.ask("99.11.in-addr.arpa", Type::PTR).rcode, 5);
}

// Guards: a record without a target, which no resolver can read.
TEST(EdgeNamesTest, AHostWithoutRoomForTheNamesOfItsInstances) {
  SmallMesh mesh = standard_mesh();
  mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
  mesh.settings.zones.push_back({"d.f.ip6.arpa", {}, ""});
  mesh.settings.auto_hosts = "";
  mesh.endpoint("eu-1/n1", "shop/six", "10.0.0.61");
  mesh.endpoint("eu-1/n1", "shop/six", "fd00::61");
  mesh.destination("six");
  const std::string host = padding(228) + "mesh.internal";
  mesh.records.destinations["shop/six"].hosts = {host};
  Asker asker{mesh.table()};
  EXPECT_EQ(asker.ask(host, Type::AAAA).answer.size(), 1U);
  const Reply services = asker.ask_edns("_http._tcp." + host, Type::SRV);
  EXPECT_EQ(services.answer.size(), 1U) << "the IPv4 address makes the shorter name";
  EXPECT_EQ(services.additional.size(), 1U);
  EXPECT_EQ(asker.ask("61.0.0.10.in-addr.arpa", Type::PTR).answer.size(), 1U);
  const Reply nameless = asker.ask("1.6." + kZeros + "d.f.ip6.arpa", Type::PTR);
  EXPECT_EQ(nameless.rcode, 0);
  EXPECT_TRUE(nameless.answer.empty());
}

TEST(EdgeNamesTest, NoWildcardFitsBelowTheLongestNames) {
  Asker asker{standard_mesh().table()};
  const std::string deepest = padding(240) + "mesh.internal";
  EXPECT_EQ(asker.ask(deepest, Type::A).rcode, 3);
}

TEST(EdgeNamesTest, WhatIsInDoubtAtAPlaceIsKeptForAShortTime) {
  SmallMesh mesh = standard_mesh();
  mesh.endpoint("eu-1/n1", "shop/doubt", "10.0.0.71").health.in_doubt = true;
  Asker asker{mesh.table()};
  EXPECT_EQ(asker.ask("eu.pin._region.doubt.shop.mesh.internal", Type::A).answer,
            std::vector<std::string>{"eu.pin._region.doubt.shop.mesh.internal. 1 IN A 10.0.0.71"});
  EXPECT_EQ(asker.ask("eu.pin._region.three.shop.mesh.internal", Type::A).answer.size(), 3U);
}

}  // namespace
}  // namespace meshdns::test
