#include "dnsd/wire/reverse_name.h"

#include <gtest/gtest.h>

#include <string>

namespace meshdns::wire {
namespace {

/// "10.0.0.0/8 +1": the prefix that was read, and how many labels were not; "whole" for an address; "-" for neither
/// zone
std::string read(std::string_view text) {
  FoldedName name;
  fold_name(*parse_name(text), name);
  const auto read = read_reverse_name(name);
  if (!read) return "-";
  std::string out = read->prefix(read->labels).text();
  if (read->unread > 0) out += " +" + std::to_string(read->unread);
  return read->complete() ? out + " whole" : out;
}

TEST(ReverseName, Ipv4IsFourOctetsFromTheRight) {
  EXPECT_EQ(read("4.3.2.1.in-addr.arpa"), "1.2.3.4/32 whole");
  EXPECT_EQ(read("255.0.0.10.IN-ADDR.ARPA"), "10.0.0.255/32 whole");
  EXPECT_EQ(read("2.1.in-addr.arpa"), "1.2.0.0/16");
  EXPECT_EQ(read("in-addr.arpa"), "0.0.0.0/0");
  EXPECT_EQ(read("5.4.3.2.1.in-addr.arpa"), "1.2.3.4/32 +1");
}

TEST(ReverseName, Ipv6IsNibbles) {
  EXPECT_EQ(read("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa"),
            "4321:0:1:2:3:4:567:89ab/128 whole");  // RFC 3596 2.5
  EXPECT_EQ(read("0.D.F.ip6.arpa"), "fd00::/12");
  EXPECT_EQ(read("10.f.ip6.arpa"), "f000::/4 +1");
  EXPECT_EQ(read("g.f.ip6.arpa"), "f000::/4 +1");
}

TEST(ReverseName, NumbersAreWrittenInOneWay) {
  for (const char* label : {"256", "01", "00", "1a", "-1", "1000", "+1", "x"}) {
    EXPECT_EQ(read(std::string(label) + ".10.in-addr.arpa"), "10.0.0.0/8 +1") << label;
  }
  EXPECT_EQ(read("0.10.in-addr.arpa"), "10.0.0.0/16");
  EXPECT_EQ(read("2.0-127.10.in-addr.arpa"), "10.0.0.0/8 +2");
}

TEST(ReverseName, OtherNames) {
  for (const char* name : {"arpa", ".", "1.arpa", "in-addr", "1.in-addr.arpa.example", "in-addr.mesh", "1.ip6.int"}) {
    EXPECT_EQ(read(name), "-") << name;
  }
}

}  // namespace
}  // namespace meshdns::wire
