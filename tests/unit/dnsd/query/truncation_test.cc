// What is given up where an answer does not fit, and when TC says so.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Type;

/// One service with so many instances in one place; all of 10.0.0.0/8 may be told why.
Asker asker_with(unsigned instances) {
  SmallMesh mesh;
  mesh.node("eu-1/n1", "10.0.0.0/16");
  mesh.endpoints("eu-1/n1", "shop/api", instances);
  return Asker(mesh.table(), "10.0.0.9");
}

constexpr const char* kApi = "api.shop.mesh.internal";
constexpr const char* kAll = "_all.api.shop.mesh.internal";

TEST(TruncationTest, ThreeHundredDoNotFit) {
  Asker asker = asker_with(300);
  const Reply cut = asker.ask_edns(kAll, Type::A, {.udp_size = 512});
  EXPECT_TRUE(cut.tc);
  EXPECT_TRUE(cut.aa);
  EXPECT_TRUE(cut.edns);
  EXPECT_EQ(cut.rcode, 0);
  EXPECT_TRUE(cut.answer.empty()) << "a part would be taken for the whole";
  EXPECT_LE(cut.size, 512U);
  asker.stream = true;
  const Reply whole = asker.ask_edns(kAll, Type::A, {.udp_size = 512});
  EXPECT_FALSE(whole.tc);
  EXPECT_EQ(std::set(whole.answer.begin(), whole.answer.end()).size(), 300U);
}

TEST(TruncationTest, OurOwnCapIsNoTruncation) {
  Asker asker = asker_with(300);
  for (const Reply& reply : {asker.ask(kApi, Type::A), asker.ask_edns(kApi, Type::A, {.udp_size = 512})}) {
    EXPECT_FALSE(reply.tc);
    EXPECT_EQ(reply.answer.size(), 8U);
  }
  const Reply services = asker.ask_edns("_http._tcp.api.shop.mesh.internal", Type::SRV);
  EXPECT_FALSE(services.tc);
  EXPECT_EQ(services.answer.size(), 8U);
}

// SVCB has SRV's sets: the same caps, of a tier and in all, and no TC for them.
TEST(TruncationTest, ServiceBindingsAreCappedAsServicesAre) {
  SmallMesh mesh;
  for (const char* cluster : {"eu-1", "us-1", "as-1"}) {
    mesh.node(std::string(cluster) + "/n1", cluster == std::string("eu-1") ? "10.0.0.0/16" : "");
    for (unsigned i = 1; i <= 9; ++i) {
      mesh.endpoint(std::string(cluster) + "/n1", "shop/api", IpAddress::v4(0x0A010000 + i).text());
    }
  }
  Asker asker(mesh.table(), "10.0.0.9");
  asker.stream = true;
  for (const Type type : {Type::SRV, Type::SVCB}) {
    const char* name = type == Type::SRV ? "_http._tcp.api.shop.mesh.internal" : "_8080._http.api.shop.mesh.internal";
    const Reply reply = asker.ask_edns(name, type);
    EXPECT_FALSE(reply.tc);
    EXPECT_EQ(reply.answer.size(), 16U);
    const std::string closest = type == Type::SRV ? "SRV 0 " : "SVCB 1 ";
    EXPECT_EQ(std::ranges::count_if(reply.answer, [&](const auto& line) { return line.find(closest) != line.npos; }),
              8);
  }
  asker.stream = false;
  EXPECT_TRUE(asker.ask_edns("_8080._http.api.shop.mesh.internal", Type::SVCB, {.udp_size = 512}).tc);
}

/// The most instances of which _all still gives everything at this size.
unsigned most_that_fit(const std::optional<EdnsRequest>& edns) {
  for (unsigned count = 1;; ++count) {
    Asker asker = asker_with(count);
    const Reply reply = asker.ask({.name = kAll, .edns = edns});
    if (reply.tc) return count - 1;
    EXPECT_EQ(reply.answer.size(), count);
  }
}

// 45 bytes of header and question, 16 a record, 11 of OPT and 6 of EDE held back.
TEST(TruncationTest, TheClientsSizeWithin512And1232) {
  const unsigned fit_512_plain = (512 - 12 - 29 - 4) / 16;
  const unsigned fit_512 = (512 - 12 - 29 - 4 - 17) / 16;
  const unsigned fit_1232 = (1232 - 12 - 29 - 4 - 17) / 16;
  EXPECT_EQ(most_that_fit(std::nullopt), fit_512_plain);
  EXPECT_EQ(most_that_fit(EdnsRequest{.udp_size = 0}), fit_512);
  EXPECT_EQ(most_that_fit(EdnsRequest{.udp_size = 511}), fit_512);
  EXPECT_EQ(most_that_fit(EdnsRequest{.udp_size = 512}), fit_512);
  EXPECT_EQ(most_that_fit(EdnsRequest{.udp_size = 1232}), fit_1232);
  EXPECT_EQ(most_that_fit(EdnsRequest{.udp_size = 4096}), fit_1232);
  EXPECT_EQ(most_that_fit(EdnsRequest{.udp_size = 65535}), fit_1232);
}

TEST(TruncationTest, NoAnswerExceedsWhatTheClientTakes) {
  for (unsigned count = 1; count < 80; ++count) {
    Asker asker = asker_with(count);
    for (const char* name : {kApi, kAll, "_http._tcp.api.shop.mesh.internal", "_explain.api.shop.mesh.internal",
                             "_8080._http.api.shop.mesh.internal"}) {
      for (const Type type : {Type::A, Type::SRV, Type::TXT, Type::SVCB}) {
        EXPECT_LE(asker.ask(name, type).size, 512U);
        EXPECT_LE(asker.ask_edns(name, type, {.udp_size = 700}).size, 700U);
      }
    }
  }
}

/// A static name whose answer has one record of `size` bytes of text: the room that is left is known.
Asker asker_with_text(std::size_t size) {
  SmallMesh mesh;
  std::string text = "long 60 TXT";
  for (std::size_t rest = size; rest > 0; rest -= std::min<std::size_t>(rest, 200)) {
    text += " " + std::string(std::min<std::size_t>(rest, 200), 'x');
  }
  mesh.fixed(text);
  mesh.fixed("alias 60 CNAME long");
  return Asker(mesh.table());
}

TEST(TruncationTest, OneLargeRecordIsCutToNothing) {
  Asker asker = asker_with_text(600);
  EXPECT_TRUE(asker.ask("long.mesh.internal", Type::TXT).tc);
  const Reply chain = asker.ask("alias.mesh.internal", Type::TXT);
  EXPECT_TRUE(chain.tc);
  EXPECT_TRUE(chain.answer.empty()) << "not the CNAME alone either";
  EXPECT_FALSE(asker.ask_edns("long.mesh.internal", Type::TXT).tc);
}

// The text explains; the records are what was asked for.
TEST(TruncationTest, ErrorTextGoesFirstThenTheError) {
  SmallMesh mesh;
  mesh.node("eu-1/n1", "10.0.0.0/16");
  mesh.endpoints("eu-1/n1", "shop/api", 40);
  mesh.destination("api").max_answers = 29;
  Asker asker(mesh.table(), "10.0.0.9");
  // 12 + 23 of header and question, 29 x 16 of records, 11 of OPT: 510 of 512, and no room for EDE
  const Reply full = asker.ask_edns("api.mesh.internal", Type::A, {.udp_size = 512});
  EXPECT_FALSE(full.tc);
  EXPECT_EQ(full.answer.size(), 29U);
  EXPECT_EQ(full.ede(), "");
  const Reply tight = asker.ask_edns("api.mesh.internal", Type::A, {.udp_size = 516});
  EXPECT_FALSE(tight.tc);
  EXPECT_EQ(tight.answer.size(), 29U);
  EXPECT_EQ(tight.ede(), "0");
  EXPECT_EQ(asker.ask_edns("api.mesh.internal", Type::A, {.udp_size = 600}).ede(), "0 29 of 40");
}

TEST(TruncationTest, ThenAdditionalAndWithoutTc) {
  Asker asker = asker_with(8);
  const char* name = "_http._tcp.api.shop.mesh.internal";
  const Reply whole = asker.ask_edns(name, Type::SRV);
  EXPECT_EQ(whole.additional.size(), 8U);
  bool partly = false;
  for (std::size_t size = 512; size <= whole.size; ++size) {
    const Reply reply = asker.ask_edns(name, Type::SRV, {.udp_size = static_cast<std::uint16_t>(size)});
    EXPECT_FALSE(reply.tc) << size;
    EXPECT_EQ(reply.answer.size(), 8U) << size;
    partly = partly || reply.additional.size() < 8;
  }
  EXPECT_TRUE(partly) << "no size was small enough for the test to mean anything";
}

TEST(TruncationTest, ANegativeAnswerWithoutItsSoaIsTruncated) {
  SmallMesh mesh;
  const std::string label(63, 'n');
  // an SOA whose names cannot be compressed: more than 512 bytes with the question
  mesh.settings.zones[0].ns.push_back({label + "." + label + "." + label + ".example", {}});
  mesh.settings.zones[0].contact = std::string(63, 'c') + "." + label + ".net";
  Asker asker(mesh.table());
  const std::string missing = label + "." + label + "." + label + ".mesh.internal";
  const Reply cut = asker.ask(missing, Type::A);
  EXPECT_TRUE(cut.tc);
  EXPECT_EQ(cut.rcode, 3);
  EXPECT_TRUE(cut.authority.empty());
  EXPECT_FALSE(asker.ask_edns(missing, Type::A).tc);
}

}  // namespace
}  // namespace meshdns::test
