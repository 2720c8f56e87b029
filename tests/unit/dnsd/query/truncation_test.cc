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
  EXPECT_EQ(cut.answer.size(), (512U - 12 - 34 - 11) / 16) << "what fits: musl before 1.2.4 never asks again";
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
}

// A client that cannot come back over TCP can work with what it gets, and gets the same until its TTL ends.
TEST(TruncationTest, AnswersThatDoNotFitGiveWhatFits) {
  SmallMesh mesh;
  mesh.node("eu-1/n1", "10.0.0.0/16");
  mesh.endpoints("eu-1/n1", "shop/api", 60);
  for (unsigned i = 1; i <= 60; ++i) mesh.endpoint("eu-1/n1", "shop/six", "fd00::" + std::to_string(i));
  for (const char* name : {"api", "six"}) mesh.destination(name).max_answers = 50;
  for (unsigned i = 1; i <= 60; ++i) mesh.fixed("fixed 60 A 10.7.0." + std::to_string(i));
  Asker asker(mesh.table(), "10.0.0.9");
  const auto cut = [&](const char* name, Type type, std::size_t fit) {
    const Reply reply = asker.ask(name, type);
    EXPECT_TRUE(reply.tc) << name;
    EXPECT_EQ(std::set(reply.answer.begin(), reply.answer.end()).size(), fit) << name;
    EXPECT_LE(reply.size, 512U);
    return std::set(reply.answer.begin(), reply.answer.end());
  };
  const auto first = cut("api.mesh.internal", Type::A, (512 - 12 - 23) / 16);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(cut("api.mesh.internal", Type::A, 29), first);
  cut("six.mesh.internal", Type::AAAA, (512 - 12 - 23) / 28);
  cut("fixed.mesh.internal", Type::A, (512 - 12 - 25) / 16);
  cut("eu.pin._region.api.mesh.internal", Type::A, (512 - 12 - 38) / 16);
  cut("_all.api.mesh.internal", Type::A, (512 - 12 - 28) / 16);
  asker.stream = true;
  EXPECT_EQ(asker.ask("api.mesh.internal", Type::A).answer.size(), 50U);
  EXPECT_FALSE(asker.ask("api.mesh.internal", Type::A).tc);
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

TEST(TruncationTest, OneLargeRecordIsLeftOut) {
  Asker asker = asker_with_text(600);
  EXPECT_TRUE(asker.ask("long.mesh.internal", Type::TXT).tc);
  const Reply chain = asker.ask("alias.mesh.internal", Type::TXT);
  EXPECT_TRUE(chain.tc);
  EXPECT_EQ(chain.answer, std::vector<std::string>{"alias.mesh.internal. 60 IN CNAME long.mesh.internal."});
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
