#include "dnsd/catalog/validate.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::catalog {
namespace {

/// The field that is refused; "" = it is taken.
std::string refused(const std::function<void(model::Endpoint&)>& change) {
  model::Endpoint out = endpoint();
  change(out);
  const auto refusal = check_endpoint(out);
  if (!refusal) return "";
  EXPECT_EQ(refusal->key, out.key);
  EXPECT_FALSE(refusal->reason.empty());
  return refusal->field;
}

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }

TEST(CheckEndpoint, takes_what_is_good) {
  EXPECT_EQ(refused([](auto&) {}), "");
  EXPECT_EQ(refused([](auto& e) { e.ports.clear(); }), "");
  EXPECT_EQ(refused([](auto& e) { e.ports = {{"", 80, "UDP", ""}}; }), "");
  EXPECT_EQ(refused([](auto& e) { e.addresses = {ip("10.0.0.1"), ip("fd00::1")}; }), "");
  EXPECT_EQ(refused([](auto& e) { e.weight = 0; }), "");
  EXPECT_EQ(refused([](auto& e) { e.weight = 65535; }), "");
  EXPECT_EQ(refused([](auto& e) { e.labels = {{std::string(253, 'n'), std::string(253, 'v')}}; }), "");
}

TEST(CheckEndpoint, names_are_dns_labels) {
  for (const std::string& bad : {std::string(), std::string("a.b"), std::string("a b"), std::string("-a"),
                                 std::string(64, 'a'), std::string("a\0b", 3), std::string("b\xC3\xA4r")}) {
    EXPECT_EQ(refused([&](auto& e) { e.service = bad; }), "service") << bad;
    EXPECT_EQ(refused([&](auto& e) { e.namespace_ = bad; }), "namespace") << bad;
  }
}

TEST(CheckEndpoint, addresses_are_of_one_host) {
  EXPECT_EQ(refused([](auto& e) { e.addresses.clear(); }), "addresses");
  for (const char* bad :
       {"0.0.0.0", "::", "224.0.0.1", "239.255.255.255", "ff02::1", "255.255.255.255", "169.254.1.1", "fe80::1"}) {
    EXPECT_EQ(refused([&](auto& e) { e.addresses.push_back(ip(bad)); }), "addresses") << bad;
  }
  EXPECT_EQ(refused([](auto& e) { e.addresses.assign(16, ip("10.0.0.1")); }), "");
  EXPECT_EQ(refused([](auto& e) { e.addresses.assign(17, ip("10.0.0.1")); }), "addresses");
}

TEST(CheckEndpoint, ports_can_be_told_apart) {
  using Ports = std::vector<model::Port>;
  const auto with = [](const Ports& ports) { return refused([&](auto& e) { e.ports = ports; }); };
  EXPECT_EQ(with({{"http", 0, "TCP", ""}}), "ports[0].number");
  EXPECT_EQ(with({{"ht_tp", 80, "TCP", ""}}), "ports[0].name");
  EXPECT_EQ(with({{"http", 80, "SCTP", ""}}), "ports[0].protocol");
  EXPECT_EQ(with({{"http", 80, "TCP", ""}, {"", 81, "TCP", ""}}), "ports[1].name");
  EXPECT_EQ(with({{"http", 80, "TCP", ""}, {"http", 81, "TCP", ""}}), "ports[1].name");
  EXPECT_EQ(with({{"http", 80, "TCP", ""}, {"HTTP", 81, "TCP", ""}}), "ports[1].name");
  EXPECT_EQ(with({{"sip", 5060, "TCP", ""}, {"sip", 5060, "UDP", ""}}), "");
  Ports many;
  for (int i = 0; i < 65; ++i) many.push_back({"p" + std::to_string(i), 80, "TCP", ""});
  EXPECT_EQ(with(many), "ports");
  many.pop_back();
  EXPECT_EQ(with(many), "");
}

TEST(CheckEndpoint, sizes_have_bounds) {
  EXPECT_EQ(refused([](auto& e) { e.weight = 65536; }), "weight");
  EXPECT_EQ(refused([](auto& e) { e.key.clear(); }), "key");
  EXPECT_EQ(refused([](auto& e) { e.key.assign(1013, 'k'); }), "key");
  EXPECT_EQ(refused([](auto& e) { e.labels = {{"", "v"}}; }), "labels");
  EXPECT_EQ(refused([](auto& e) { e.labels = {{"n", std::string(254, 'v')}}; }), "labels");
  EXPECT_EQ(refused([](auto& e) {
              for (int i = 0; i < 65; ++i) e.labels.edit()[std::to_string(i)] = "v";
            }),
            "labels");
}

TEST(CheckNode, a_place_is_of_labels_and_has_cluster_and_name) {
  EXPECT_EQ(check_node(node()), std::nullopt);
  for (const model::Part part : model::kParts) {
    SCOPED_TRACE(part_name(part));
    model::Node bad = node();
    bad.locality.part(part) = std::string(254, 'x');
    EXPECT_EQ(check_node(bad).value().field, "locality." + std::string(part_name(part)));
    bad.locality.part(part).clear();
    EXPECT_EQ(check_node(bad).has_value(), part == model::Part::Cluster || part == model::Part::Node);
  }
}

TEST(CheckNode, its_name_may_have_dots_and_its_addresses_may_be_missing) {
  model::Node good = node("n1.example.com");
  EXPECT_EQ(check_node(good), std::nullopt);
  good.addresses = {ip("10.0.0.1")};
  EXPECT_EQ(check_node(good), std::nullopt);
  good.addresses = {ip("224.0.0.1")};
  EXPECT_EQ(check_node(good).value().field, "addresses");
}

}  // namespace
}  // namespace meshdns::catalog
