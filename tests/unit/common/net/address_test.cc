#include <gtest/gtest.h>
#include <net/if.h>

#include "common/net/prefix.h"
#include "common/net/socket_address.h"

namespace meshdns {
namespace {

TEST(IpAddress, reads_and_prints_both_families) {
  for (const auto* text : {"0.0.0.0", "10.1.2.3", "::", "fd00::1", "2001:db8::ff"}) {
    EXPECT_EQ(IpAddress::parse(text).value().text(), text);
  }
  EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1").value(), IpAddress::v4(0x0a000001));
  for (const auto* bad : {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "fd00::g"})
    EXPECT_FALSE(IpAddress::parse(bad)) << bad;
  EXPECT_FALSE(IpAddress::parse(std::string_view("10.0.0.1\0x", 10)));
}

TEST(IpAddress, comes_back_from_its_bytes) {
  for (const auto* text : {"10.1.2.3", "fd00::1"}) {
    const auto ip = IpAddress::parse(text).value();
    const auto bytes = ip.bytes();
    EXPECT_EQ(IpAddress::from_bytes({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).value(), ip);
  }
  EXPECT_FALSE(IpAddress::from_bytes("abc"));
}

TEST(IpAddress, knows_loopback) {
  EXPECT_TRUE(IpAddress::parse("127.9.9.9").value().is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1").value().is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2").value().is_loopback());
}

TEST(Prefix, says_what_is_wrong) {
  EXPECT_EQ(Prefix::parse("10.0.0.0/8").value().text(), "10.0.0.0/8");
  EXPECT_EQ(Prefix::parse("10.0.0.1").value().text(), "10.0.0.1/32");
  EXPECT_NE(Prefix::parse("10.0.0.1/8").error().message().find("did you mean 10.0.0.0/8"), std::string::npos);
  EXPECT_NE(Prefix::parse("10.0.0.0/33").error().message().find("0 to 32"), std::string::npos);
  EXPECT_FALSE(Prefix::parse("10.0.0/8"));
}

TEST(Prefix, contains_by_family_and_bits) {
  const auto prefix = Prefix::parse("10.1.2.128/25").value();
  EXPECT_TRUE(prefix.contains(IpAddress::parse("10.1.2.129").value()));
  EXPECT_FALSE(prefix.contains(IpAddress::parse("10.1.2.127").value()));
  EXPECT_FALSE(prefix.contains(IpAddress::parse("::").value()));
  EXPECT_TRUE(Prefix::parse("::/0").value().contains(IpAddress::parse("fd00::1").value()));
}

TEST(SocketAddress, a_link_local_one_names_its_interface) {
  const auto found = SocketAddress::parse("[fe80::1%lo]:53");
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->interface, if_nametoindex("lo"));
  EXPECT_EQ(found->text(), "[fe80::1%lo]:53");
  EXPECT_NE(*found, SocketAddress::parse("[fe80::1]:53").value());
  EXPECT_EQ(SocketAddress::parse("[fe80::1%nowhere0]:53").error().message(),
            "there is no interface \"nowhere0\" on this machine");
  for (const char* bad : {"10.0.0.1%lo:53", "[fe80::1%]:53"}) EXPECT_FALSE(SocketAddress::parse(bad)) << bad;
}

TEST(SocketAddress, wants_brackets_around_v6) {
  EXPECT_EQ(SocketAddress::parse("10.0.0.1:53").value().text(), "10.0.0.1:53");
  EXPECT_EQ(SocketAddress::parse("[fd00::1]:53").value().text(), "[fd00::1]:53");
  for (const auto* bad : {"10.0.0.1", "fd00::1:53", "[10.0.0.1]:53", "10.0.0.1:65536", ":53", "10.0.0.1:"}) {
    EXPECT_FALSE(SocketAddress::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace meshdns
