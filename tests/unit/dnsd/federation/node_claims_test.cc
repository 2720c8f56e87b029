#include "dnsd/federation/node_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress address(const std::string& text) { return IpAddress::parse(text).value(); }
Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }

class NodeClaimsTest : public testing::Test {
 protected:
  void put(const std::string& node, const std::vector<std::string>& addresses,
           const std::vector<std::string>& prefixes) {
    model::Node out{.key = node};
    for (const auto& text : addresses) out.addresses.push_back(address(text));
    for (const auto& text : prefixes) out.prefixes.push_back(prefix(text));
    claims_.put(out);
  }
  std::string of_address(const std::string& node, const std::string& text) {
    return claims_.holder(node, address(text));
  }
  std::string of_prefix(const std::string& node, const std::string& text) { return claims_.holder(node, prefix(text)); }

  NodeClaims claims_;
};

TEST_F(NodeClaimsTest, an_address_has_one_holder) {
  put("n1", {"10.0.0.1"}, {});
  EXPECT_EQ(of_address("n2", "10.0.0.1"), "n1");
  EXPECT_EQ(of_address("n1", "10.0.0.1"), "");
  EXPECT_EQ(of_address("n2", "10.0.0.2"), "");
}

TEST_F(NodeClaimsTest, prefixes_must_not_overlap_in_either_direction) {
  put("n1", {}, {"10.1.0.0/16", "fd00:1::/48"});
  for (const auto* taken : {"10.1.0.0/16", "10.1.2.0/24", "10.0.0.0/8", "0.0.0.0/0", "10.1.255.255/32", "fd00::/16",
                            "fd00:1:0:1::/64", "fd00:1::/48"})
    EXPECT_EQ(of_prefix("n2", taken), "n1") << taken;
  for (const auto* free : {"10.2.0.0/16", "10.0.0.0/16", "11.0.0.0/8", "fd00:2::/48", "fd00:0:ffff::/48"})
    EXPECT_EQ(of_prefix("n2", free), "") << free;
  EXPECT_EQ(of_prefix("n1", "10.0.0.0/8"), "");
}

TEST_F(NodeClaimsTest, a_prefix_must_not_cover_the_address_of_another_node) {
  put("n1", {"10.0.0.1", "10.9.0.1"}, {});
  put("n2", {"10.0.0.2"}, {});
  EXPECT_EQ(of_prefix("n1", "10.0.0.0/24"), "n2");
  EXPECT_EQ(of_prefix("n1", "10.9.0.0/24"), "");
  EXPECT_EQ(of_prefix("n3", "10.9.0.0/24"), "n1");
}

TEST_F(NodeClaimsTest, a_new_claim_replaces_the_old_one) {
  put("n1", {"10.0.0.1"}, {"10.1.0.0/16"});
  put("n1", {"10.0.0.2"}, {"10.2.0.0/16"});
  EXPECT_EQ(of_address("n2", "10.0.0.1"), "");
  EXPECT_EQ(of_prefix("n2", "10.1.0.0/16"), "");
  EXPECT_EQ(of_address("n2", "10.0.0.2"), "n1");
  claims_.erase("n1");
  EXPECT_EQ(of_address("n2", "10.0.0.2"), "");
  EXPECT_EQ(of_prefix("n2", "10.2.0.0/16"), "");
}

TEST_F(NodeClaimsTest, what_another_node_holds_is_not_lost_when_a_second_claim_of_it_goes) {
  put("n1", {"10.0.0.1"}, {"10.1.0.0/16"});
  put("n2", {"10.0.0.1"}, {"10.1.0.0/16"});
  claims_.erase("n2");
  EXPECT_EQ(of_address("n3", "10.0.0.1"), "n1");
  EXPECT_EQ(of_prefix("n3", "10.1.0.0/16"), "n1");
}

TEST_F(NodeClaimsTest, tells_whose_prefixes_cover_an_address) {
  put("n1", {}, {"10.0.0.0/8"});
  put("n2", {}, {"10.1.0.0/16", "10.1.1.0/24"});
  EXPECT_THAT(claims_.covering("n3", address("10.1.1.1")), ElementsAre("n1", "n2"));
  EXPECT_THAT(claims_.covering("n2", address("10.1.1.1")), ElementsAre("n1"));
  EXPECT_THAT(claims_.covering("n3", address("11.1.1.1")), IsEmpty());
}

}  // namespace
}  // namespace meshdns::federation
