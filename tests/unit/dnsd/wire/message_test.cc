#include "dnsd/wire/message.h"

#include <gtest/gtest.h>

#include "tests/support/dns/request.h"

namespace meshdns::wire {
namespace {

using test::operator+;
using test::Bytes;
using test::EdnsRequest;
using test::header;
using test::hex;
using test::question;
using test::Request;

Reading reading(const Bytes& packet) {
  Query query;
  return read_query(packet, query);
}

Bytes opt(std::string_view options, std::uint8_t version = 0) {
  EdnsRequest edns;
  edns.version = version;
  edns.options = hex(options);
  const Bytes whole = Request{.name = "a", .edns = edns}.bytes();
  return {whole.begin() + 12 + 7, whole.end()};
}

TEST(Message, ReadsAQuestion) {
  const Bytes packet = Request{.name = "wWw.mesh", .type = Type::AAAA}.bytes();
  Query query;
  ASSERT_EQ(read_query(packet, query), Reading::Ok);
  EXPECT_EQ(query.opcode, Opcode::Query);
  EXPECT_TRUE(query.recursion_desired);
  EXPECT_EQ(query.question_end, packet.size());
  EXPECT_EQ(name_text(query.name.view()), "www.mesh.");
  EXPECT_EQ(query.type, Type::AAAA);
  EXPECT_EQ(query.qclass, Class::IN);
  EXPECT_FALSE(query.edns.present);
}

TEST(Message, ReadsEdns) {
  EdnsRequest edns{.udp_size = 4096, .flags = 0x8080};
  edns.option(65001, hex("BEEF")).subnet("10.1.128.0/17");
  Query query;
  ASSERT_EQ(read_query(Request{.name = "a", .edns = edns}.bytes(), query), Reading::Ok);
  EXPECT_TRUE(query.edns.present);
  EXPECT_TRUE(query.edns.dnssec_ok);
  EXPECT_EQ(query.edns.udp_size, 4096);
  ASSERT_TRUE(query.edns.subnet.present);
  EXPECT_EQ(query.edns.subnet.family, 1);
  EXPECT_EQ(query.edns.subnet.source, 17);
  EXPECT_EQ(query.edns.subnet.address_size(), 3);
  EXPECT_EQ(query.edns.subnet.address[2], 128);
  EXPECT_EQ(query.edns.subnet.address[3], 0);
}

TEST(Message, SilenceForNoHeaderAndForResponses) {
  for (std::size_t size = 0; size < 12; ++size) EXPECT_EQ(reading(Bytes(size, 0)), Reading::TooShort);
  EXPECT_EQ(reading(Request{.name = "a", .flags = 0x8000}.bytes()), Reading::Response);
}

TEST(Message, ExactlyOneQuestion) {
  EXPECT_EQ(reading(header(1, 0, 0, 0, 0, 0)), Reading::Malformed);
  EXPECT_EQ(reading(header(1, 0, 2, 0, 0, 0) + question("a", Type::A) + question("b", Type::A)), Reading::Malformed);
}

TEST(Message, MalformedNamesEchoNoQuestion) {
  for (const auto* name : {"C00C", "C010 0000 0000", "40 61 00", "03 6161", "C000"}) {
    Query query;
    EXPECT_EQ(read_query(header(1, 0, 1, 0, 0, 0) + hex(name) + hex("0001 0001"), query), Reading::Malformed) << name;
    EXPECT_FALSE(query.has_question()) << name;
  }
}

TEST(Message, EveryCutOfAGoodPacketIsMalformed) {
  EdnsRequest edns;
  edns.subnet("10.0.0.0/8");
  const Bytes packet = Request{.name = "www.mesh", .edns = edns}.bytes();
  for (std::size_t size = 12; size < packet.size(); ++size) {
    EXPECT_EQ(reading(Bytes(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size))), Reading::Malformed)
        << size;
  }
  EXPECT_EQ(reading(packet), Reading::Ok);
}

TEST(Message, JunkBehindTheLastRecord) {
  EXPECT_EQ(reading(Request{.name = "a"}.bytes() + hex("00")), Reading::Malformed);
  EXPECT_EQ(reading(Request{.name = "a", .edns = EdnsRequest{}}.bytes() + hex("00")), Reading::Malformed);
}

TEST(Message, OptMustBeOneInItsSectionWithTheRootAsOwner) {
  const Bytes asked = question("a", Type::A);
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + asked + opt("")), Reading::Ok);
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 2) + asked + opt("") + opt("")), Reading::Malformed) << "two";
  EXPECT_EQ(reading(header(1, 0, 1, 1, 0, 0) + asked + opt("")), Reading::Malformed) << "answer section";
  EXPECT_EQ(reading(header(1, 0, 1, 0, 1, 0) + asked + opt("")), Reading::Malformed) << "authority section";
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + asked + hex("01 61") + opt("")), Reading::Malformed) << "owner a";
  Bytes pointed = opt("");
  pointed.erase(pointed.begin());
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + asked + hex("C00E") + pointed), Reading::Malformed) << "pointer to root";
  Bytes overrun = opt("");
  overrun.back() = 1;
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + asked + overrun), Reading::Malformed) << "RDLENGTH past the end";
}

TEST(Message, OptionsOfVersionZeroMustFitTheirRecord) {
  const Bytes head = header(1, 0, 1, 0, 0, 1) + question("a", Type::A);
  EXPECT_EQ(reading(head + opt("FDE9 0002 BEEF")), Reading::Ok);
  EXPECT_EQ(reading(head + opt("FDE9 0003 BEEF")), Reading::Malformed);
  EXPECT_EQ(reading(head + opt("FDE9 00")), Reading::Malformed);
  Query query;
  EXPECT_EQ(read_query(head + opt("FDE9 0003 BEEF", 1), query), Reading::Ok) << "another version: nothing is read";
  EXPECT_EQ(query.edns.version, 1);
}

TEST(Message, ClientSubnetIsStrict) {
  const Bytes head = header(1, 0, 1, 0, 0, 1) + question("a", Type::A);
  const auto present = [&](std::string_view option) {
    Query query;
    EXPECT_EQ(read_query(head + opt(option), query), Reading::Ok) << option;
    return query.edns.subnet.present;
  };
  EXPECT_TRUE(present("0008 0007 0001 18 00 0A0102"));
  EXPECT_TRUE(present("0008 0004 0001 00 00"));
  EXPECT_TRUE(present("0008 0014 0002 80 00 20010DB8000000000000000000000001"));
  EXPECT_FALSE(present("0008 0007 0003 18 00 0A0102")) << "unknown family: as if absent";
  for (const auto* bad : {"0008 0003 0001 18",                                          // cut
                          "0008 0007 0001 17 00 0A0103",                                // a bit past the prefix
                          "0008 0006 0001 18 00 0A01",                                  // too few bytes
                          "0008 0008 0001 18 00 0A010200",                              // too many
                          "0008 0009 0001 21 00 0A01020300",                            // /33
                          "0008 0015 0002 81 00 20010DB80000000000000000000000010000",  // /129
                          "0008 0007 0001 18 18 0A0102"}) {                             // a scope in a request
    EXPECT_EQ(reading(head + opt(bad)), Reading::Malformed) << bad;
  }
}

TEST(Message, OfTwoEqualOptionsTheFirstWins) {
  const Bytes head = header(1, 0, 1, 0, 0, 1) + question("a", Type::A);
  Query query;
  ASSERT_EQ(read_query(head + opt("0008 0005 0001 08 00 0A   0008 0005 0001 08 00 0B"), query), Reading::Ok);
  EXPECT_EQ(query.edns.subnet.address[0], 10);
  ASSERT_EQ(read_query(head + opt("0008 0007 0003 18 00 0A0102   0008 0005 0001 08 00 0B"), query), Reading::Ok);
  EXPECT_FALSE(query.edns.subnet.present) << "the first is of an unknown family";
}

TEST(Message, ManyOptionsAreIgnored) {
  std::string options;
  for (int i = 0; i < 300; ++i) options += "FDE9 0000";
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + question("a", Type::A) + opt(options)), Reading::Ok);
}

TEST(Message, TypesThatCannotBeAsked) {
  EXPECT_EQ(reading(Request{.name = "a", .type = Type{0}}.bytes()), Reading::Malformed);
  EXPECT_EQ(reading(Request{.name = "a", .type = Type::OPT}.bytes()), Reading::Malformed);
  EXPECT_EQ(reading(Request{.name = "a", .type = Type{128}}.bytes()), Reading::Malformed);
  EXPECT_EQ(reading(Request{.name = "a", .type = Type{666}}.bytes()), Reading::Ok);
}

TEST(Message, RecordsOfAQueryAreThoseOfRfc1035AndIxfr) {
  const Bytes record = hex("00 0001 0001 00000000 0004 01020304");
  const Bytes asked = question("a", Type::A);
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + asked + record), Reading::Ok) << "additional: ignored";
  EXPECT_EQ(reading(header(1, 0, 1, 1, 0, 0) + asked + record), Reading::Malformed);
  EXPECT_EQ(reading(header(1, 0, 1, 0, 1, 0) + asked + record), Reading::Malformed);
  EXPECT_EQ(reading(header(1, 0, 1, 0, 1, 0) + question("a", Type::IXFR) + record), Reading::Ok);
  const Bytes loop = hex("C013 0001 0001 00000000 0000");
  EXPECT_EQ(reading(header(1, 0, 1, 0, 0, 1) + asked + loop), Reading::Malformed) << "an owner that points at itself";
}

TEST(Message, OtherOpcodesAreReadAsFarAsPossible) {
  Query query;
  EXPECT_EQ(read_query(Request{.name = "a", .flags = 0x2800}.bytes(), query), Reading::Ok);
  EXPECT_EQ(query.opcode, Opcode::Update);
  EXPECT_TRUE(query.has_question());
  EXPECT_EQ(read_query(header(1, 0x7800, 0, 9, 9, 9), query), Reading::Ok);
  EXPECT_EQ(query.opcode, Opcode{15});
  EXPECT_FALSE(query.has_question());
}

}  // namespace
}  // namespace meshdns::wire
