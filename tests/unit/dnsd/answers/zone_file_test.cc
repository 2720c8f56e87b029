#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/base/random_seed.h"
#include "dnsd/answers/compile.h"
#include "dnsd/answers/zone_compiler.h"
#include "dnsd/answers/zone_parser.h"
#include "dnsd/wire/name.h"
#include "tests/support/mesh/asker.h"

namespace meshdns::answers {
namespace {

using test::must;
using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string> kZones = {"mesh.internal", "10.in-addr.arpa"};

/// "www.mesh.internal. 60 1": owner, TTL, type
std::string text_of(const StaticRecord& record) {
  return wire::name_text(record.owner) + " " + std::to_string(record.ttl) + " " +
         std::to_string(static_cast<unsigned>(record.type));
}

std::vector<std::string> read(const std::string& text) {
  const ReadFile file = read_zone_file(text, kZones, {});
  std::vector<std::string> out;
  for (const StaticRecord& record : file.records) out.push_back(text_of(record));
  for (const auto& bad : file.bad) out.push_back(std::to_string(bad.line) + ": " + bad.what);
  return out;
}

TEST(ZoneFileTest, TheOriginIsTheFirstZoneUntilTheFileSaysAnother) {
  EXPECT_THAT(read("www A 10.0.0.1\n"
                   "$ORIGIN deep\n"
                   "www A 10.0.0.1\n"
                   "@ A 10.0.0.1\n"
                   "$ORIGIN 1.10.in-addr.arpa.\n"
                   "1.0 PTR www.mesh.internal."),
              ElementsAre("www.mesh.internal. 60 1", "www.deep.mesh.internal. 60 1", "deep.mesh.internal. 60 1",
                          "1.0.1.10.in-addr.arpa. 60 12"));
}

TEST(ZoneFileTest, TheTtlIsTheRecordsOrTheDirectivesOrThatOfTheRecordBefore) {
  EXPECT_THAT(
      read("a A 10.0.0.1\n"
           "b 30 A 10.0.0.1\n"
           "c A 10.0.0.1\n"
           "$TTL 1h\n"
           "d A 10.0.0.1\n"
           "e 2m A 10.0.0.1\n"
           "f IN A 10.0.0.1\n"
           "$TTL 0\n"
           "g A 10.0.0.1\n"
           "h 2147483648 A 10.0.0.1\n"),
      ElementsAre("a.mesh.internal. 60 1", "b.mesh.internal. 30 1", "c.mesh.internal. 30 1", "d.mesh.internal. 3600 1",
                  "e.mesh.internal. 120 1", "f.mesh.internal. 3600 1", "g.mesh.internal. 0 1", "h.mesh.internal. 0 1"));
}

TEST(ZoneFileTest, ARecordWithoutANameHasThatOfTheOneBefore) {
  EXPECT_THAT(read("a A 10.0.0.1\n\n  ; a comment\n\tAAAA fd00::1\n $TTL 5\n"),
              ElementsAre("a.mesh.internal. 60 1", "a.mesh.internal. 60 28", testing::HasSubstr("5: ")));
  EXPECT_THAT(read("  A 10.0.0.1"), ElementsAre("1: a record without a name, and there is none before it"));
}

TEST(ZoneFileTest, ParenthesesQuotesCommentsAndEscapes) {
  EXPECT_THAT(read("@ 5 SOA ns1 ops ( 7 ; serial\r\n"
                   "  1h 10m ( 1d ) ; )\r\n"
                   " 30 )\n"
                   "t TXT \"a;b (c\" \\; ( \"d\"\n )\n"
                   "a\\.b TXT \"x \\\" y\" ; \" )\n"
                   "; the end"),
              ElementsAre("mesh.internal. 5 6", "t.mesh.internal. 5 16", "a\\.b.mesh.internal. 5 16"));
}

TEST(ZoneFileTest, EveryMistakeIsToldWithItsLineAndTheRestIsRead) {
  EXPECT_THAT(read("a A 10.0.0\n"
                   "$INCLUDE /etc/hosts\n"
                   "b TXT ( \"x\n"
                   "c A 10.0.0.1\n"
                   "d A 10.0.0.1 )\n"
                   "sub NS ns1\n"
                   "sub DNAME other\n"
                   "www.example.org. A 10.0.0.1\n"
                   "c CNAME d\n"
                   "$TTL soon\n"
                   "$ORIGIN a b\n"
                   "sub 5 SOA a b 1 2 3 4 5\n"
                   "@ 5 SOA a b 1 2 3 4 5\n"
                   "@ 5 SOA a b 2 2 3 4 5\n"
                   "e CH TXT x\n"
                   "f TXT (\n"
                   "x"),
              ElementsAre("c.mesh.internal. 60 1", "mesh.internal. 5 6", testing::StartsWith("1: "),
                          "2: $INCLUDE is not read: only $ORIGIN and $TTL are", "3: a quote is not closed on its line",
                          "5: a parenthesis closes what none has opened",
                          "6: delegations are not served: NS only at a zone's apex", "7: DNAME is not served",
                          "8: the name is in none of the zones", "9: a CNAME stands alone at its name (RFC 1034 3.6.2)",
                          "10: no TTL: soon", "11: $ORIGIN takes one value", "12: SOA only at a zone's apex",
                          "14: a zone has one SOA", "15: only class IN is served", "16: a parenthesis is not closed"));
}

TEST(ZoneFileTest, AZeroByteDoesNotCutARecord) {
  EXPECT_THAT(read(std::string("a TXT x\0y\nb A 10.0.0.1", 22)),
              ElementsAre("b.mesh.internal. 60 1", "1: a zero byte"));
}

TEST(ZoneFileTest, RecordsOfTheConfigurationStandWithThoseOfTheFile) {
  const auto beside = must(parse_records({"www A 10.0.0.1"}, kZones));
  EXPECT_EQ(read_zone_file("www CNAME x", kZones, beside).bad.size(), 1U);
  EXPECT_THAT(read_zone_file("www AAAA fd00::1", kZones, beside).bad, IsEmpty());
}

// any damage is told or harmless: what is taken is a whole name in our zones, and compiles
TEST(ZoneFileTest, DamagedFilesAreReadToTheirEnd) {
  const std::string good =
      "$TTL 1m\n@ IN SOA ns1 ops (\n 1 ; serial\n 1h 10m 1d 5 )\n NS ns1\nns1 A 10.0.9.1\n*.wild TXT \"a;b\" \\;\n"
      "x TYPE65400 \\# 4 0a000001\nm MX 10 mail\ns SRV 1 2 80 web\n$ORIGIN 10.in-addr.arpa.\n1.0 PTR "
      "www.mesh.internal.\n";
  const std::string bytes("\0\n\r\t ();\"\\$@*.#0129azAZ-_\xff", 26);
  const std::uint64_t seed = random_seed();
  const testing::ScopedTrace trace(__FILE__, __LINE__, "seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  AnswerSettings settings;
  for (const std::string& zone : kZones) settings.zones.push_back({zone, {}, ""});
  for (int round = 0; round < 3000; ++round) {
    std::string text = good;
    for (std::uint64_t damage = random() % 6 + 1; damage > 0; --damage) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) text[at] = bytes[random() % bytes.size()];
      if (random() % 3 == 0) text.insert(at, 1, bytes[random() % bytes.size()]);
      if (random() % 3 == 0) text.erase(at, random() % 4);
    }
    const ReadFile file = read_zone_file(text, kZones, {});
    Names names;
    compile_zones(settings, file.records, names);
    for (const StaticRecord& record : file.records) ASSERT_NE(names.find_node(record.owner), nullptr) << text;
  }
}

/// What is answered from a file beside a mesh.
class ZoneAnswersTest : public testing::Test {
 protected:
  ZoneAnswersTest() {
    mesh.node("eu-1/n1", "10.0.0.0/16");
    mesh.settings.zones.push_back({"10.in-addr.arpa", {}, ""});
  }

  test::Asker asker(const std::string& text) {
    const ReadFile file = read_zone_file(text, kZones, {});
    EXPECT_THAT(file.bad, IsEmpty());
    return test::Asker(compile({mesh.records, mesh.settings, file.records, {7, TimePoint{1h}}, 1000}).table);
  }
  std::string soa(const std::string& text, const std::string& zone = "mesh.internal") {
    const auto reply = asker(text).ask(zone, wire::Type::SOA);
    return reply.answer.empty() ? "" : reply.answer[0];
  }

  test::SmallMesh mesh;
};

constexpr const char* kSoa = "@ 120 SOA ns7 ops.example.net. 42 1000 100 10000 60\n";

TEST_F(ZoneAnswersTest, TheSoaOfTheFileIsTheZones) {
  EXPECT_EQ(soa(kSoa), "mesh.internal. 120 IN SOA ns7.mesh.internal. ops.example.net. 42 1000 100 10000 60");
  EXPECT_EQ(soa(kSoa, "10.in-addr.arpa"),
            "10.in-addr.arpa. 5 IN SOA ns.10.in-addr.arpa. hostmaster.10.in-addr.arpa. 1000 3600 600 86400 5");
  EXPECT_EQ(asker(kSoa).ask("nope.mesh.internal", wire::Type::A).authority[0],
            "mesh.internal. 60 IN SOA ns7.mesh.internal. ops.example.net. 42 1000 100 10000 60");
}

TEST_F(ZoneAnswersTest, TheSerialIsTheClustersWhereTheZoneHasHosts) {
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  EXPECT_EQ(soa(kSoa), "mesh.internal. 120 IN SOA ns7.mesh.internal. ops.example.net. 1000 1000 100 10000 60");
  EXPECT_EQ(soa("@ 5 SOA a b 42 1 1 1 1\n$ORIGIN 10.in-addr.arpa.\n@ 5 SOA a b 43 1 1 1 1\n", "10.in-addr.arpa"),
            "10.in-addr.arpa. 5 IN SOA a.10.in-addr.arpa. b.10.in-addr.arpa. 1000 1 1 1 1")
      << "the names of addresses come and go with hosts";
}

TEST_F(ZoneAnswersTest, ANegativeAnswerIsNotKeptForLongerThanHostsMayTakeToAppear) {
  const auto reply = asker("@ 7200 SOA ns ops 1 1 1 1 3600\n").ask("nope.mesh.internal", wire::Type::A);
  EXPECT_EQ(reply.authority[0], "mesh.internal. 300 IN SOA ns.mesh.internal. ops.mesh.internal. 1 1 1 1 3600");
}

TEST_F(ZoneAnswersTest, NameServersThatAreWrittenStandForAll) {
  auto asked = asker("@ 30 NS ns8\n  30 NS ns9.example.org.\nns8 30 A 10.0.9.8\n");
  const auto reply = asked.ask("mesh.internal", wire::Type::NS);
  EXPECT_THAT(reply.answer, testing::UnorderedElementsAre("mesh.internal. 30 IN NS ns8.mesh.internal.",
                                                          "mesh.internal. 30 IN NS ns9.example.org."));
  EXPECT_THAT(reply.additional, ElementsAre("ns8.mesh.internal. 30 IN A 10.0.9.8"));
  EXPECT_EQ(asked.ask("ns.mesh.internal", wire::Type::A).rcode, 3) << "what would have been made is not";
  EXPECT_THAT(asked.ask("mesh.internal", wire::Type::SOA).answer[0], testing::HasSubstr(" SOA ns8.mesh.internal. "));
  EXPECT_THAT(asked.ask("10.in-addr.arpa", wire::Type::NS).answer,
              ElementsAre("10.in-addr.arpa. 60 IN NS ns.10.in-addr.arpa."));
}

TEST_F(ZoneAnswersTest, AliasesLeadToHostsAndReverseZonesAreServed) {
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11");
  auto asked =
      asker("api 60 CNAME api2\napi2 60 CNAME web.shop\n$ORIGIN 10.in-addr.arpa.\n1.0.0 60 PTR api.mesh.internal.\n");
  EXPECT_THAT(asked.ask("api.mesh.internal", wire::Type::A).answer,
              ElementsAre("api.mesh.internal. 60 IN CNAME api2.mesh.internal.",
                          "api2.mesh.internal. 60 IN CNAME web.shop.mesh.internal.",
                          "web.shop.mesh.internal. 5 IN A 10.0.0.11"));
  EXPECT_THAT(asked.ask("1.0.0.10.in-addr.arpa", wire::Type::PTR).answer,
              ElementsAre("1.0.0.10.in-addr.arpa. 60 IN PTR api.mesh.internal."));
  EXPECT_EQ(asked.ask("0.0.10.in-addr.arpa", wire::Type::PTR).rcode, 0) << "an empty non-terminal";
}

}  // namespace
}  // namespace meshdns::answers
