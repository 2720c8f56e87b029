// The bytes of dnstap messages: field numbers and wire types as dnstap's schema has them.
#include "dnsd/dnstap/encoder.h"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/dns/request.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::dnstap {
namespace {

using test::Bytes;
using test::hex;
using test::must;

class EncoderTest : public testing::Test {
 protected:
  static Bytes bytes(const std::string& text) { return {text.begin(), text.end()}; }
  server::Exchange exchange(const char* client) {
    return {.client = must(IpAddress::parse(client)), .client_port = 4711, .query = query_, .answer = answer_};
  }

  const Bytes query_ = hex("0102");
  const Bytes answer_ = hex("0304");
  Encoder encoder_{
      Teller{"n1", "v", {must(SocketAddress::parse("127.0.0.1:53")), must(SocketAddress::parse("[::]:53"))}}};
};

TEST_F(EncoderTest, Query) {
  EXPECT_EQ(bytes(encoder_.query(exchange("10.0.0.1"), 5s + 7ns)),
            hex("0a026e31 120176 7222"
                "0801 1001 1801 22040a000001 2a047f000001 30e724 3835 4005 4d07000000 52020102"
                "7801"));
}

TEST_F(EncoderTest, Response) {
  encoder_.query(exchange("10.0.0.1"), 1s);  // nothing of it stays
  EXPECT_EQ(bytes(encoder_.response(exchange("10.0.0.1"), 5s + 7ns)),
            hex("0a026e31 120176 7229"
                "0802 1001 1801 22040a000001 2a047f000001 30e724 3835 4005 4d07000000 6005 6d07000000 72020304"
                "7801"));
}

TEST_F(EncoderTest, TcpAtAnyAddress) {
  server::Exchange asked = exchange("fd00::1");
  asked.stream = true;
  asked.listener = 1;
  EXPECT_EQ(bytes(encoder_.query(asked, 5s)),
            hex("0a026e31 120176 7223"
                "0801 1002 1802 2210fd000000000000000000000000000001 30e724 3835 4005 52020102"
                "7801"));
}

TEST_F(EncoderTest, EachQueryHasItsOwnTime) {
  v1::Dnstap read;
  ASSERT_TRUE(read.ParseFromString(encoder_.query(exchange("10.0.0.1"), 1700000000s + 999999999ns)));
  EXPECT_EQ(read.message().query_time_sec(), 1700000000U);
  EXPECT_EQ(read.message().query_time_nsec(), 999999999U);
}

}  // namespace
}  // namespace meshdns::dnstap
