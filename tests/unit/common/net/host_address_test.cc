#include "common/net/host_address.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

std::string said(const char* address) { return not_of_one_host(IpAddress::parse(address).value()).value_or("ok"); }

TEST(HostAddress, says_what_an_address_is_that_no_client_can_be_sent_to) {
  EXPECT_EQ(said("0.0.0.0"), "0.0.0.0 is an unspecified address, not that of one host");
  EXPECT_EQ(said("::"), ":: is an unspecified address, not that of one host");
  EXPECT_EQ(said("224.0.0.1"), "224.0.0.1 is a multicast address, not that of one host");
  EXPECT_EQ(said("239.255.255.255"), "239.255.255.255 is a multicast address, not that of one host");
  EXPECT_EQ(said("ff02::1"), "ff02::1 is a multicast address, not that of one host");
  EXPECT_EQ(said("255.255.255.255"), "255.255.255.255 is a broadcast address, not that of one host");
  EXPECT_EQ(said("240.0.0.1"), "240.0.0.1 is a reserved address, not that of one host");
  EXPECT_EQ(said("0.0.0.1"), "0.0.0.1 is a \"this network\" address, not that of one host");
  EXPECT_EQ(said("::ffff:0.0.0.1"), "0.0.0.1 is a \"this network\" address, not that of one host");
  EXPECT_EQ(said("169.254.1.1"), "169.254.1.1 is a link-local address, not that of one host");
  EXPECT_EQ(said("fe80::1"), "fe80::1 is a link-local address, not that of one host");
  EXPECT_EQ(said("febf::1"), "febf::1 is a link-local address, not that of one host");
}

TEST(HostAddress, takes_all_others) {
  for (const char* good :
       {"10.0.0.1", "127.0.0.1", "::1", "fd00::1", "fec0::1", "223.255.255.255", "169.253.1.1", "2001:db8::1"}) {
    EXPECT_EQ(said(good), "ok") << good;
  }
}

TEST(HostAddress, loopback_is_answered_only_where_it_is_allowed) {
  for (const char* loopback : {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}) {
    const IpAddress address = IpAddress::parse(loopback).value();
    EXPECT_TRUE(not_answerable(address, Loopback::Refused)) << loopback;
    EXPECT_FALSE(not_answerable(address, Loopback::Allowed)) << loopback;
  }
  for (const auto rule : {Loopback::Refused, Loopback::Allowed}) {
    EXPECT_TRUE(not_answerable(IpAddress::parse("fe80::1").value(), rule));
    EXPECT_FALSE(not_answerable(IpAddress::parse("10.0.0.1").value(), rule));
  }
}

}  // namespace
}  // namespace meshdns
