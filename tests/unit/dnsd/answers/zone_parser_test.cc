#include "dnsd/answers/zone_parser.h"

#include <gtest/gtest.h>

#include "dnsd/wire/name.h"
#include "tests/support/dns/request.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::answers {
namespace {

using test::hex;
using test::must;
using test::operator+;
using test::Bytes;

StaticRecord parsed(const std::string& line) { return must(parse_record(line, "mesh.internal", 60)); }
std::string owner(const std::string& line) { return wire::name_text(parsed(line).owner); }
Bytes name(const std::string& text) { return must(wire::parse_name(text)); }

std::string error_of(const std::string& line) {
  const auto record = parse_record(line, "mesh.internal", 60);
  return record ? "" : record.error().message();
}

TEST(ZoneParserTest, NamesBelowTheOriginAndAbsoluteOnes) {
  EXPECT_EQ(owner("www 60 A 10.0.0.1"), "www.mesh.internal.");
  EXPECT_EQ(owner("www.example.org. 60 A 10.0.0.1"), "www.example.org.");
  EXPECT_EQ(owner("@ 60 A 10.0.0.1"), "mesh.internal.");
  EXPECT_EQ(owner("*.wild 60 A 10.0.0.1"), "*.wild.mesh.internal.");
}

TEST(ZoneParserTest, OwnersAndTargetsAreFolded) {
  EXPECT_EQ(owner("WWW 60 A 10.0.0.1"), "www.mesh.internal.");
  EXPECT_EQ(parsed("www 60 CNAME App-B").rdata, name("app-b.mesh.internal"));
}

TEST(ZoneParserTest, TtlAndItsDefault) {
  EXPECT_EQ(parsed("www 30 A 10.0.0.1").ttl, 30U);
  EXPECT_EQ(parsed("www A 10.0.0.1").ttl, 60U);
  EXPECT_EQ(parsed("www 1h IN A 10.0.0.1").ttl, 3600U);
}

TEST(ZoneParserTest, DataInWireForm) {
  EXPECT_EQ(parsed("x 60 A 10.0.0.1").rdata, hex("0a000001"));
  EXPECT_EQ(parsed("x 60 AAAA fd00::1").rdata, hex("fd000000000000000000000000000001"));
  EXPECT_EQ(parsed("x 60 MX 10 mail").rdata, hex("000a") + name("mail.mesh.internal"));
  EXPECT_EQ(parsed("x 60 SRV 1 2 80 web").rdata, hex("0001 0002 0050") + name("web.mesh.internal"));
  EXPECT_EQ(parsed("x 60 TXT \"a b\" c").rdata, hex("03612062 0163"));
  EXPECT_EQ(parsed("x 60 TYPE65534 \\# 2 beef").rdata, hex("beef"));
  EXPECT_EQ(parsed("x 60 TYPE65534 \\# 2 beef").type, wire::Type{65534});
}

TEST(ZoneParserTest, ErrorsNameTheLine) {
  for (const char* bad : {"www 60 A 10.0.0", "www 60 NOSUCH x", "www 60 A", "www", "", "www 60 CNAME a..b"}) {
    EXPECT_TRUE(error_of(bad).starts_with("\"" + std::string(bad) + "\": ")) << bad << " -> " << error_of(bad);
  }
  EXPECT_TRUE(error_of("www 60 CH A 10.0.0.1").ends_with("only class IN is served"));
  EXPECT_TRUE(error_of("@ 60 SOA a b 1 2 3 4 5").ends_with("this type is made by the server"));
  EXPECT_TRUE(error_of("www 60 DNAME x").ends_with("DNAME is not served"));
}

// ldns takes them for an empty record
TEST(ZoneParserTest, DirectivesAreErrors) {
  for (const char* line : {"$INCLUDE /etc/hosts", "$ORIGIN example.org.", "$TTL 60"}) {
    EXPECT_TRUE(error_of(line).ends_with("directives are not read here")) << line;
  }
}

class ParseRecordsTest : public testing::Test {
 protected:
  static std::string error_of(const std::vector<std::string>& lines,
                              const std::vector<std::string>& zones = {"mesh.internal"}) {
    const auto records = parse_records(lines, zones);
    return records ? "" : records.error().message();
  }
};

TEST_F(ParseRecordsTest, InTheOrderOfTheLines) {
  const auto records = must(parse_records({"b A 10.0.0.1", "a A 10.0.0.2"}, {"mesh.internal"}));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].owner, name("b.mesh.internal"));
  EXPECT_EQ(records[1].owner, name("a.mesh.internal"));
}

TEST_F(ParseRecordsTest, OwnersMustBeInAZone) {
  EXPECT_TRUE(error_of({"www.example.org. A 10.0.0.1"}).ends_with("the name is in none of the zones"));
  EXPECT_EQ(error_of({"www.example.org. A 10.0.0.1"}, {"mesh.internal", "example.org"}), "");
  EXPECT_EQ(error_of({}, {}), "");
  EXPECT_EQ(error_of({"a A 10.0.0.1"}, {}), "static records without a zone");
}

TEST_F(ParseRecordsTest, AnAliasStandsAlone) {
  const char* alone = "a CNAME stands alone at its name (RFC 1034 3.6.2)";
  EXPECT_TRUE(error_of({"a CNAME b", "a A 10.0.0.1"}).ends_with(alone));
  EXPECT_TRUE(error_of({"a A 10.0.0.1", "A CNAME b"}).ends_with(alone));
  EXPECT_TRUE(error_of({"a CNAME b", "a CNAME c"}).ends_with(alone));
  EXPECT_EQ(error_of({"a CNAME b", "b CNAME c"}), "");
}

TEST_F(ParseRecordsTest, AnApexHasCompanyAlways) {
  EXPECT_TRUE(error_of({"@ CNAME b"}).ends_with("a CNAME stands alone at its name (RFC 1034 3.6.2)"));
}

// they would be answered with authority
TEST_F(ParseRecordsTest, DelegationsAreErrors) {
  EXPECT_EQ(error_of({"@ NS ns.example.org."}), "");
  EXPECT_TRUE(error_of({"sub NS ns.example.org."}).ends_with("delegations are not served: NS only at a zone's apex"));
}

TEST_F(ParseRecordsTest, EveryBadLineIsTold) {
  const ReadLines read = read_records({"a A 10.0.0", "b A 10.0.0.1", "sub NS b"}, {"mesh.internal"});
  ASSERT_EQ(read.bad.size(), 2U);
  EXPECT_EQ(read.bad[0].index, 0U);
  EXPECT_EQ(read.bad[1].index, 2U);
  EXPECT_EQ(read.records.size(), 1U);
}

}  // namespace
}  // namespace meshdns::answers
