#include "agent/discovery/kubernetes_node.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "common/kubernetes/place_name.h"

namespace meshdns::discovery {
namespace {

// The rest of a Node is in tests/scenario/pods/node.txt.

Pod pod_at(std::uint32_t address) {
  Pod out;
  out.uid = std::to_string(address);
  out.phase = Pod::Phase::Running;
  out.addresses = {IpAddress::v4(address)};
  return out;
}

// A federation refuses a node with more prefixes than this, and with it all its endpoints.
TEST(KubernetesNode, has_no_more_prefixes_than_a_record_can_hold) {
  KubernetesNode node;
  node.addresses = {IpAddress::v4(0x0a000001)};
  std::map<std::string, Pod> pods;
  for (std::uint32_t i = 0; i < 300; ++i) pods[std::to_string(i)] = pod_at(0x0a010000 + i);
  const ClientPrefixes clients = client_prefixes(node, pods);
  EXPECT_EQ(clients.prefixes.size(), 256U);
  EXPECT_EQ(clients.left_out, 45U);
  EXPECT_EQ(clients.prefixes.front(), Prefix::host(node.addresses.front()));
}

TEST(KubernetesNode, needs_a_name) {
  const auto node = read_node(boost::json::parse(R"({"metadata": {"uid": "u"}})").as_object());
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().message(), "metadata.name: expected a text (got nothing)");
}

// Servers before podCIDRs had podCIDR alone.
TEST(KubernetesNode, takes_the_one_prefix_of_an_old_server) {
  const auto node =
      read_node(boost::json::parse(R"({"metadata": {"name": "n"}, "spec": {"podCIDR": "10.244.1.0/24"}})").as_object());
  ASSERT_TRUE(node);
  EXPECT_EQ(node->pod_prefixes, std::vector<Prefix>{Prefix::parse("10.244.1.0/24").value()});
}

TEST(PlaceName, has_letters_digits_and_hyphens) {
  using kubernetes::place_name;
  EXPECT_EQ(place_name("eu-west-1a"), "eu-west-1a");
  EXPECT_EQ(place_name("Rack_7.b"), "Rack-7-b");
  EXPECT_EQ(place_name(""), "");
  EXPECT_EQ(place_name("_x"), "");
  EXPECT_EQ(place_name(std::string(64, 'a')), "");
}

}  // namespace
}  // namespace meshdns::discovery
