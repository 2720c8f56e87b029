// EDNS over UDP: what of the request's OPT record counts, and what comes back.
#include <gtest/gtest.h>

#include "tests/support/mesh/asker.h"

namespace meshdns::test {
namespace {

using wire::Type;

constexpr const char* kWeb = "web.shop.mesh.internal";
constexpr std::uint16_t kSubnet = 8;

class EdnsTest : public testing::Test {
 protected:
  Reply ask(const EdnsRequest& edns) { return asker.ask_edns(kWeb, Type::A, edns); }
  std::uint16_t rcode_of_subnet(const char* data) { return ask(EdnsRequest{}.option(kSubnet, hex(data))).rcode; }

  Asker asker{standard_mesh().table(), "192.0.2.53"};  // a trusted forwarder
};

TEST_F(EdnsTest, OptComesBackOnlyIfAsked) {
  EXPECT_FALSE(asker.ask(kWeb, Type::A).edns);
  const Reply reply = ask({});
  EXPECT_TRUE(reply.edns);
  EXPECT_EQ(reply.edns_version, 0);
  EXPECT_EQ(reply.udp_size, 1232);
  EXPECT_TRUE(reply.options.empty());
}

TEST_F(EdnsTest, OtherVersionsAreBad) {
  EdnsRequest edns{.version = 1, .flags = 0x8000};
  edns.option(kSubnet, hex("ff"));  // of another version nothing more is understood
  for (const int version : {1, 2, 255}) {
    edns.version = static_cast<std::uint8_t>(version);
    const Reply reply = ask(edns);
    EXPECT_EQ(reply.rcode, 16);
    EXPECT_EQ(reply.edns_version, 0);
    EXPECT_TRUE(reply.dnssec_ok);
    EXPECT_TRUE(reply.options.empty());
    EXPECT_EQ(reply.question.size(), 1U);
    EXPECT_TRUE(reply.answer.empty() && reply.authority.empty() && reply.additional.empty());
  }
}

TEST_F(EdnsTest, DoIsCopiedAndOtherFlagsAreNot) {
  EXPECT_TRUE(ask({.flags = 0x8000}).dnssec_ok);
  EXPECT_FALSE(ask({.flags = 0x7FFF}).dnssec_ok);
  const Bytes raw = asker.raw(Request{.name = kWeb, .edns = EdnsRequest{.flags = 0xFFFF}}.bytes());
  EXPECT_EQ(raw[raw.size() - 4], 0x80) << "flags";
  EXPECT_EQ(raw[raw.size() - 3], 0) << "flags";
}

TEST_F(EdnsTest, UnknownOptionsAreIgnored) {
  const Reply reply = ask(EdnsRequest{}.option(65001, hex("beef")).option(3, {}).option(12, Bytes(40)));
  EXPECT_EQ(reply.rcode, 0);
  EXPECT_EQ(reply.answer.size(), 1U + 1);
  EXPECT_TRUE(reply.options.empty());
}

TEST_F(EdnsTest, OfManyOptionsTheFirstOfEachKindCounts) {
  EdnsRequest edns;
  for (std::uint16_t i = 0; i < 20; ++i) edns.option(static_cast<std::uint16_t>(65001 + i), hex("00"));
  edns.subnet("10.2.7.0/24").subnet("10.0.7.0/24");
  edns.option(kSubnet, hex("ff"));  // the second of its kind is not even read
  const Reply reply = ask(edns);
  EXPECT_EQ(reply.rcode, 0);
  EXPECT_EQ(reply.subnet(), "10.2.7.0/24/16");
  ASSERT_EQ(reply.answer.size(), 1U);
  EXPECT_EQ(reply.answer[0], "web.shop.mesh.internal. 5 IN A 10.2.0.11");
}

TEST_F(EdnsTest, MalformedSubnetsAreFormErr) {
  EXPECT_EQ(rcode_of_subnet("0001 18 00 0a0007"), 0);
  EXPECT_EQ(rcode_of_subnet("0001 17 00 0a0007"), 1) << "a bit past the prefix";
  EXPECT_EQ(rcode_of_subnet("0001 18 00 0a000700"), 1) << "a byte too many";
  EXPECT_EQ(rcode_of_subnet("0001 18 00 0a00"), 1) << "a byte too few";
  EXPECT_EQ(rcode_of_subnet("0001 21 00 0a00070000"), 1) << "33 bits of IPv4";
  EXPECT_EQ(rcode_of_subnet("0001 18 10 0a0007"), 1) << "a scope in a request";
  EXPECT_EQ(rcode_of_subnet("0001 18"), 1) << "no scope";
  EXPECT_EQ(rcode_of_subnet(""), 1);
  EXPECT_EQ(rcode_of_subnet("0002 81 00 fd000000000000000000000000000000 00"), 1) << "129 bits of IPv6";
  EXPECT_EQ(rcode_of_subnet("0002 08 00 fd"), 0);
}

TEST_F(EdnsTest, UnknownFamilyIsAsAbsent) {
  const Reply reply = ask(EdnsRequest{}.option(kSubnet, hex("0003 08 00 fd")));
  EXPECT_EQ(reply.rcode, 0);
  EXPECT_EQ(reply.subnet(), "");
}

TEST_F(EdnsTest, UntrustedSubnetIsAsAbsent) {
  asker.client = must(IpAddress::parse("192.0.2.54"));
  EXPECT_EQ(ask(EdnsRequest{}.subnet("10.2.7.0/24")).subnet(), "");
}

TEST_F(EdnsTest, ErrorsOfTheSubnetDoNotEchoIt) {
  const Reply reply = asker.ask_edns("example.com", Type::A, EdnsRequest{}.subnet("10.2.7.0/24"));
  EXPECT_EQ(reply.rcode, 5);
  EXPECT_EQ(reply.ede(), "20");
}

TEST_F(EdnsTest, ExplainsToWhoMayKnow) {
  asker.client = must(IpAddress::parse("10.0.0.9"));
  EXPECT_EQ(asker.ask_edns("many.shop.mesh.internal", Type::A).ede(), "0 8 of 12");
  EXPECT_EQ(asker.ask_edns(kWeb, Type::A).ede(), "");
  asker.client = must(IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(asker.ask_edns("many.shop.mesh.internal", Type::A).ede(), "");
  EXPECT_EQ(asker.ask_edns("_explain.web.shop.mesh.internal", Type::TXT).ede(), "18");
  EXPECT_TRUE(asker.ask_edns("fenced.mesh.internal", Type::A).ede().starts_with("18 "));
}

// RFC 4343, draft-vixie-dnsext-dns0x20: the question's case comes back bit for bit, in the owners too.
TEST_F(EdnsTest, CaseOfTheQuestionComesBack) {
  const Reply reply = asker.ask("wEb.sHoP.mEsH.iNtErNaL", Type::A);
  EXPECT_EQ(reply.question.at(0), "wEb.sHoP.mEsH.iNtErNaL. IN A");
  ASSERT_FALSE(reply.answer.empty());
  EXPECT_TRUE(reply.answer[0].starts_with("wEb.sHoP.mEsH.iNtErNaL. 5 IN A 10.0.0.1")) << reply.answer[0];
}

}  // namespace
}  // namespace meshdns::test
