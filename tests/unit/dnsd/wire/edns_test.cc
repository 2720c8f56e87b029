#include "dnsd/wire/edns.h"

#include <gtest/gtest.h>

#include "tests/support/dns/reply.h"
#include "tests/support/dns/request.h"

namespace meshdns::wire {
namespace {

test::Reply written(const EdnsReply& reply, std::size_t room) {
  test::Bytes buffer = test::header(1, 0x8000, 0, 0, 0, 1);
  buffer.resize(12 + room + 1, 0xEE);
  Writer writer(buffer.data(), 12, 12 + room, nullptr);
  write_edns(writer, reply);
  EXPECT_FALSE(writer.failed());
  EXPECT_EQ(buffer.back(), 0xEE);
  const auto parsed = test::parse_reply(std::span(buffer).first(writer.position()));
  EXPECT_TRUE(parsed) << parsed.error().message();
  return parsed ? *parsed : test::Reply{};
}

TEST(Edns, PlainReply) {
  const auto reply = written({}, edns_size({}));
  EXPECT_TRUE(reply.edns);
  EXPECT_EQ(reply.edns_version, 0);
  EXPECT_EQ(reply.udp_size, 1232);
  EXPECT_FALSE(reply.dnssec_ok);
  EXPECT_TRUE(reply.options.empty());
}

TEST(Edns, UpperBitsOfTheRcode) { EXPECT_EQ(written({.rcode = Rcode::BadVers}, 11).rcode, 16); }

TEST(Edns, SubnetIsCopiedWithItsScope) {
  ClientSubnet subnet;
  subnet.family = 1;
  subnet.source = 20;
  subnet.address = {10, 1, 16};
  const EdnsReply reply{.dnssec_ok = true, .subnet = &subnet, .scope = 16};
  const auto parsed = written(reply, edns_size(reply));
  EXPECT_EQ(parsed.subnet(), "10.1.16.0/20/16");
  EXPECT_TRUE(parsed.dnssec_ok);
  subnet.family = 2;
  subnet.source = 0;
  EXPECT_EQ(written(reply, edns_size(reply)).subnet(), "::/0/16");
}

TEST(Edns, TextThenTheErrorIsLeftOutWhenItDoesNotFit) {
  const EdnsReply reply{.ede = Ede::Other, .ede_text = "tier 1 of 0-3"};
  EXPECT_EQ(written(reply, edns_size(reply) + 13).ede(), "0 tier 1 of 0-3");
  EXPECT_EQ(written(reply, edns_size(reply) + 12).ede(), "0");
  EXPECT_EQ(written(reply, edns_size(reply)).ede(), "0");
  EXPECT_EQ(written(reply, edns_size(reply) - 1).ede(), "");
}

TEST(Edns, FailsRatherThanWriteAPart) {
  test::Bytes buffer(32, 0);
  Writer writer(buffer.data(), 12, 22, nullptr);
  write_edns(writer, {});
  EXPECT_TRUE(writer.failed());
}

}  // namespace
}  // namespace meshdns::wire
