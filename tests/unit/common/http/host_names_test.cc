#include "common/http/host_names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace meshdns::http {
namespace {

TEST(HostNames, AddressesAndLocalhostAreAllowed) {
  const HostNames names({});
  for (const char* host : {"127.0.0.1", "127.0.0.1:7401", "10.1.2.3:80", "[::1]", "[::1]:7401", "[fd00::1]:80",
                           "localhost", "LOCALHOST:7401", "localhost."}) {
    EXPECT_TRUE(names.allow(host)) << host;
  }
}

TEST(HostNames, OnlyTheAddressOfThePortIsAllowed) {
  const HostNames names({"192.0.2.7"}, IpAddress::parse("10.1.2.3").value());
  for (const char* host : {"10.1.2.3", "10.1.2.3:80", "127.0.0.1", "127.9.9.9:7401", "[::1]", "[::ffff:10.1.2.3]:80",
                           "192.0.2.7:80", "localhost"}) {
    EXPECT_TRUE(names.allow(host)) << host;
  }
  for (const char* host : {"10.1.2.4", "0.0.0.0:7401", "[fd00::1]:80", "[::]"}) EXPECT_FALSE(names.allow(host)) << host;
}

TEST(HostNames, TheHostsOwnNameIsAllowed) {
  std::array<char, 256> name{};
  ASSERT_EQ(::gethostname(name.data(), name.size() - 1), 0);
  const HostNames names({});
  EXPECT_TRUE(names.allow(name.data()));
  EXPECT_TRUE(names.allow(std::string(name.data()) + ":7401"));
  EXPECT_FALSE(names.allow(std::string(name.data()) + ".evil.example"));
}

TEST(HostNames, WhatElseIsListedIsAllowed) {
  const HostNames names({"Admin.example.net", "mesh.example.net."});
  EXPECT_TRUE(names.allow("admin.example.net"));
  EXPECT_TRUE(names.allow("MESH.example.net.:7401"));
  EXPECT_FALSE(names.allow("example.net"));
}

TEST(HostNames, EverythingElseIsRefused) {
  const HostNames names({});
  for (const char* host : {"", ".", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[evil]",
                           "[127.0.0.1]", "::1", "[::1", "127.0.0.1@evil.example", "a b"}) {
    EXPECT_FALSE(names.allow(host)) << host;
  }
}

}  // namespace
}  // namespace meshdns::http
