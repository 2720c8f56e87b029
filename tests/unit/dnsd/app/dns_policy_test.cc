#include "dnsd/app/dns_policy.h"

#include <gtest/gtest.h>

#include "common/config/load.h"

namespace meshdns::dnsd::app {
namespace {

query::RateLimit rate_limit_of(const std::string& dns) {
  const std::string text =
      "cluster: eu-1\nzones: [{name: mesh.internal}]\nfederation: {listen: \"127.0.0.1:7400\"}\n"
      "dns: {listen: [{address: \"127.0.0.1:0\"}]" +
      dns + "}\n";
  const auto file = config::load_dnsd(text, "test");
  EXPECT_TRUE(file) << (file ? "" : config::problems_text(file.error()));
  return read_policy(file->dns(), ".")->rate_limit;
}

bool limits(const query::RateLimit& limit, const char* client) { return limit.applies_to(*IpAddress::parse(client)); }

TEST(CookieSecret, hexadecimal_digits_or_bytes) {
  const wire::CookieSecret expected = {0,    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                       0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF};
  EXPECT_EQ(*parse_cookie_secret("00112233445566778899aabbccddeeff\n"), expected);
  EXPECT_EQ(*parse_cookie_secret("  00112233445566778899AABBCCDDEEFF"), expected);
  EXPECT_EQ(*parse_cookie_secret({reinterpret_cast<const char*>(expected.data()), expected.size()}), expected);
  for (const char* wrong : {"", "00112233445566778899aabbccddee", "0011223344556677 8899aabbccddeeff",
                            "00112233445566778899aabbccddeegg", "00112233445566778899aabbccddeeff00"}) {
    EXPECT_FALSE(parse_cookie_secret(wrong)) << wrong;
  }
}

TEST(RateLimit, public_clients_are_limited_by_default) {
  const query::RateLimit limit = rate_limit_of("");
  EXPECT_EQ(limit.per_second, 50U);
  EXPECT_EQ(limit.burst, 125U);
  EXPECT_EQ(limit.slip, 1U);
  for (const char* client : {"198.51.100.1", "2001:db8::1", "172.32.0.1", "9.255.255.255"}) {
    EXPECT_TRUE(limits(limit, client)) << client;
  }
  for (const char* client : {"10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "127.0.0.53", "::1", "fd00::1"}) {
    EXPECT_FALSE(limits(limit, client)) << client;
  }
}

TEST(RateLimit, loopback_and_forwarders_never_are) {
  const query::RateLimit limit =
      rate_limit_of(", rate_limit: {exempt: []}, trusted_forwarders: [{prefix: 198.51.100.53}]");
  EXPECT_TRUE(limits(limit, "10.1.2.3"));
  EXPECT_TRUE(limits(limit, "198.51.100.54"));
  for (const char* client : {"127.0.0.1", "::1", "198.51.100.53"}) EXPECT_FALSE(limits(limit, client)) << client;
  EXPECT_FALSE(limits(rate_limit_of(", rate_limit: {per_second: 0}"), "198.51.100.1")) << "off";
}

}  // namespace
}  // namespace meshdns::dnsd::app
