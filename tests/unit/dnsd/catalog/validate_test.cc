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
  const auto refusal = check(out, Loopback::Refused);
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
    EXPECT_EQ(refused([&](auto& e) { e.service = bad; }), bad.empty() ? "" : "service") << bad;
    EXPECT_EQ(refused([&](auto& e) { e.namespace_ = bad; }), "namespace") << bad;
  }
}

TEST(CheckEndpoint, labels_ports_and_addresses_have_a_number) {
  const auto set = [](model::Endpoint& e, std::size_t labels, std::size_t ports, std::size_t addresses) {
    for (std::size_t i = 0; i < labels; ++i) e.labels.edit()["l" + std::to_string(i)] = "v";
    e.ports.clear();
    for (std::size_t i = 0; i < ports; ++i) {
      e.ports.push_back({"p" + std::to_string(i), static_cast<std::uint16_t>(i + 1), "TCP", ""});
    }
    e.addresses.clear();
    for (std::uint32_t i = 0; i < addresses; ++i) e.addresses.push_back(IpAddress::v4(0x0A000001 + i));
  };
  EXPECT_EQ(refused([&](auto& e) { set(e, 64, 64, 16); }), "");
  EXPECT_EQ(refused([&](auto& e) { set(e, 65, 64, 16); }), "labels");
  EXPECT_EQ(refused([&](auto& e) { set(e, 64, 65, 16); }), "ports");
  EXPECT_EQ(refused([&](auto& e) { set(e, 64, 64, 17); }), "addresses");
}

TEST(CheckEndpoint, memberships_are_in_order_and_bounded) {
  const auto with = [](model::Memberships all) {
    return refused([&](auto& e) { e.memberships = all; });
  };
  EXPECT_EQ(with({{.service = "api"}, {.service = "web", .ports = {{"", 80, "TCP", ""}}, .hostname = "web-0"}}), "");
  EXPECT_EQ(with({{.service = ""}}), "memberships[0].service");
  EXPECT_EQ(with({{.service = "a.b"}}), "memberships[0].service");
  EXPECT_EQ(with({{.service = "web"}, {.service = "api"}}), "memberships[1].service");
  EXPECT_EQ(with({{.service = "web"}, {.service = "WEB"}}), "memberships[1].service");
  EXPECT_EQ(with({{.service = "web", .hostname = "a b"}}), "memberships[0].hostname");
  EXPECT_EQ(with({{.service = "web", .ports = {{"http", 0, "TCP", ""}}}}), "memberships[0].ports[0].number");
  EXPECT_EQ(with({{.service = "web", .ports = {{"", 80, "TCP", ""}, {"b", 81, "TCP", ""}}}}),
            "memberships[0].ports[0].name");
  model::Memberships many;
  for (int i = 10; i < 74; ++i) many.push_back({.service = "s" + std::to_string(i)});
  EXPECT_EQ(with(many), "");
  for (auto& each : many) {
    for (std::uint16_t port = 1; port <= 8; ++port) each.ports.push_back({"p" + std::to_string(port), port, "TCP", ""});
  }
  EXPECT_EQ(with(many), "");
  many.back().ports.push_back({"p9", 9, "TCP", ""});
  EXPECT_EQ(with(many), "memberships");  // more than 512 ports
  many.back().ports.clear();
  many.push_back({.service = "s99"});
  EXPECT_EQ(with(many), "memberships");  // more than 64 of them
}

TEST(CheckEndpoint, addresses_are_of_one_host) {
  EXPECT_EQ(refused([](auto& e) { e.addresses.clear(); }), "addresses");
  for (const char* bad :
       {"0.0.0.0", "::", "224.0.0.1", "239.255.255.255", "ff02::1", "255.255.255.255", "169.254.1.1", "fe80::1",
        "240.0.0.1", "0.0.0.1", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "::ffff:0.0.0.1"}) {
    EXPECT_EQ(refused([&](auto& e) { e.addresses.push_back(ip(bad)); }), "addresses") << bad;
  }
  EXPECT_EQ(refused([](auto& e) { e.addresses.assign(16, ip("10.0.0.1")); }), "");
  EXPECT_EQ(refused([](auto& e) { e.addresses.assign(17, ip("10.0.0.1")); }), "addresses");
}

TEST(CheckEndpoint, loopback_is_for_a_mesh_on_one_machine) {
  model::Endpoint out = endpoint();
  out.addresses = {ip("127.0.0.1"), ip("::1")};
  EXPECT_EQ(check(out, Loopback::Refused).value().field, "addresses");
  EXPECT_EQ(check(out, Loopback::Allowed), std::nullopt);
  out.addresses = {ip("0.0.0.1")};
  EXPECT_EQ(check(out, Loopback::Allowed).value().field, "addresses");
}

// Guards against records that name another node's, or no node at all.
TEST(CheckEndpoint, its_key_is_of_its_node) {
  EXPECT_EQ(refused([](auto& e) { e.key = "eu-1/n2/a"; }), "key");
  EXPECT_EQ(refused([](auto& e) { e.key = "eu-1/n1/"; }), "key");
  EXPECT_EQ(refused([](auto& e) { e.key = "eu-1/n1"; }), "key");
  EXPECT_EQ(refused([](auto& e) { e.key = "eu-1/n1/a\nb"; }), "key");
  for (const std::string bad : {"eu-1/n1/shop", "eu-1/n 1", "n1", "eu.1/n1", "/n1", "eu-1/"}) {
    EXPECT_EQ(refused([&](auto& e) {
                e.node = bad;
                e.key = bad + "/a";
              }),
              "key")
        << bad;
  }
}

TEST(CheckEndpoint, texts_have_bounds_and_no_control_characters) {
  const std::string text(253, 'x');
  EXPECT_EQ(refused([&](auto& e) { e.uid = e.source = text; }), "");
  EXPECT_EQ(refused([&](auto& e) { e.ports = {{"http", 80, "TCP", text}}; }), "");
  for (const std::string& bad : {text + "x", std::string("a\x1b[2J"), std::string("a\nb"), std::string("a\x7f")}) {
    EXPECT_EQ(refused([&](auto& e) { e.uid = bad; }), "uid");
    EXPECT_EQ(refused([&](auto& e) { e.source = bad; }), "source");
    EXPECT_EQ(refused([&](auto& e) { e.ports = {{"http", 80, "TCP", bad}}; }), "ports[0].app_protocol");
    EXPECT_EQ(refused([&](auto& e) { e.labels = {{bad, "v"}}; }), "labels");
    EXPECT_EQ(refused([&](auto& e) { e.labels = {{"n", bad}}; }), "labels");
  }
  EXPECT_EQ(refused([](auto& e) { e.health.detail.assign(1025, 'd'); }), "health.detail");
  EXPECT_EQ(refused([](auto& e) { e.health.v4 = e.health.v6 = model::HealthState::Failing; }), "health");
}

TEST(Refusal, shows_no_more_of_a_strangers_text_than_a_person_reads) {
  EXPECT_EQ(in_quotes("a\x1b[2Jb\n"), "\"a?[2Jb?\"");
  EXPECT_EQ(in_quotes(std::string(1000, 'x')), "\"" + std::string(64, 'x') + "...\"");
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
  EXPECT_EQ(check(node(), Loopback::Refused), std::nullopt);
  for (const model::Part part : model::kParts) {
    SCOPED_TRACE(part_name(part));
    model::Node bad = node();
    bad.locality.part(part) = std::string(254, 'x');
    EXPECT_EQ(check(bad, Loopback::Refused).value().field, "locality." + std::string(part_name(part)));
    bad.locality.part(part).clear();
    EXPECT_EQ(check(bad, Loopback::Refused).has_value(), part == model::Part::Cluster || part == model::Part::Node);
  }
}

TEST(CheckNode, its_name_may_have_dots_and_its_addresses_may_be_missing) {
  model::Node good = node("n1.example.com");
  EXPECT_EQ(check(good, Loopback::Refused), std::nullopt);
  good.addresses = {ip("10.0.0.1")};
  EXPECT_EQ(check(good, Loopback::Refused), std::nullopt);
  good.addresses = {ip("224.0.0.1")};
  EXPECT_EQ(check(good, Loopback::Refused).value().field, "addresses");
}

TEST(CheckNode, its_name_is_a_host_name_and_its_key_says_so) {
  for (const std::string& bad : {std::string("n1/shop"), std::string("n_1"), std::string("n1."), std::string("n\n1"),
                                 std::string("n\xc3\xa4"), std::string(254, 'n')}) {
    EXPECT_EQ(check(node(bad), Loopback::Refused).value().field, "locality.node") << bad;
  }
  model::Node other = node();
  other.key = "eu-1/n2";
  EXPECT_EQ(check(other, Loopback::Refused).value().field, "key");
}

TEST(CheckNode, its_prefixes_and_addresses_have_bounds) {
  model::Node out = node();
  out.prefixes.assign(256, Prefix());
  out.addresses.assign(16, ip("10.0.0.1"));
  EXPECT_EQ(check(out, Loopback::Refused), std::nullopt);
  out.prefixes.emplace_back();
  EXPECT_EQ(check(out, Loopback::Refused).value().field, "prefixes");
  out.addresses.push_back(ip("10.0.0.1"));
  EXPECT_EQ(check(out, Loopback::Refused).value().field, "addresses");
}

TEST(CheckOthers, each_type_of_record_has_its_rule) {
  model::NodeStatus status;
  EXPECT_EQ(check("eu-1/n1", status), std::nullopt);
  EXPECT_EQ(check("eu-1/n1/x", status).value().field, "key");
  status.problem.assign(1025, 'p');
  EXPECT_EQ(check("eu-1/n1", status).value().field, "problem");
  EXPECT_EQ(check(model::ServiceKey{"shop", "web"}), std::nullopt);
  EXPECT_EQ(check(model::ServiceKey{"shop", "a.b"}).value().field, "name");
  EXPECT_EQ(check(model::ServiceKey{"", "web"}).value().field, "namespace");
  EXPECT_EQ(check("eu-1", model::ClusterStatus{{{"us-1", 80ms}}, {}}), std::nullopt);
  EXPECT_EQ(check("eu 1", model::ClusterStatus{}).value().field, "key");
  EXPECT_EQ(check("eu-1", model::ClusterStatus{{{"us-1", -1ms}}, {}}).value().field, "distances");
  EXPECT_EQ(check("web.example.net", model::ExternalName{{ip("10.0.0.1")}}, Loopback::Refused), std::nullopt);
  EXPECT_EQ(check("Web.example.net", model::ExternalName{{ip("10.0.0.1")}}, Loopback::Refused).value().field, "key");
  EXPECT_EQ(check("web.example.net", model::ExternalName{}, Loopback::Refused).value().field, "addresses");
  EXPECT_EQ(check("web.example.net", model::ExternalName{{ip("127.0.0.1")}}, Loopback::Refused).value().field,
            "addresses");
  model::Cluster cluster;
  cluster.gateways = {{ip("127.0.0.1"), {}}};
  EXPECT_EQ(check(cluster, Loopback::Refused).value().field, "spec.gateways[0].address");
  EXPECT_EQ(check(cluster, Loopback::Allowed), std::nullopt);
  model::VirtualDestination object;
  object.external_endpoints.emplace_back().address = ip("127.0.0.1");
  EXPECT_EQ(check(object, Loopback::Refused).value().field, "spec.externalEndpoints[0].address");
}

}  // namespace
}  // namespace meshdns::catalog
