#include "agent/discovery/endpoints_file.h"

#include <gtest/gtest.h>

namespace meshdns::discovery {
namespace {

const Defaults kDefaults{{IpAddress::v4(0x0a000001), IpAddress::parse("fd00::1").value()}};

std::vector<Discovered> read(const std::string& text) {
  const auto out = read_endpoints(text, "app.yaml", kDefaults);
  EXPECT_TRUE(out) << config::problems_text(out.error());
  return out.value_or(std::vector<Discovered>{});
}

std::string problems(const std::string& text, const Defaults& defaults = kDefaults) {
  const auto out = read_endpoints(text, "app.yaml", defaults);
  return out ? "none" : config::problems_text(out.error());
}

// docs/config-agent.md, "endpoints.d/*.yaml"
CheckSpec tcp(std::uint16_t port) { return {.what = probes::TcpCheck{.to = {port, {}}}}; }

TEST(EndpointsFile, an_entry_with_everything) {
  const auto found = read(R"(endpoints:
- service: app-b
  namespace: shop
  labels: {app: app-b, version: v2}
  address: 10.0.0.11
  ports: [{name: http, number: 8080, app_protocol: http}, {name: admin, number: 9000}]
  weight: 7
  checks:
  - {http: {port: http, path: /healthz, host: app-b.example, status: [204]}, interval: 1s500ms, timeout: 300ms, rise: 4, fall: 5}
  - {tcp: {port: 9000}}
)");
  ASSERT_EQ(found.size(), 1U);
  model::Endpoint endpoint;
  endpoint.key = "shop/app-b/10.0.0.11:8080";
  endpoint.source = "static";
  endpoint.namespace_ = "shop";
  endpoint.service = "app-b";
  endpoint.labels = {{"app", "app-b"}, {"version", "v2"}};
  endpoint.addresses = {IpAddress::v4(0x0a00000b)};
  endpoint.ports = {{"http", 8080, "TCP", "http"}, {"admin", 9000, "TCP", ""}};
  endpoint.weight = 7;
  EXPECT_EQ(found[0].key, endpoint.key);
  EXPECT_EQ(found[0].endpoint, endpoint);
  const CheckSpec http{
      .what = probes::HttpCheck{.to = {8080, {}}, .path = "/healthz", .host = "app-b.example", .status = {{204, 204}}},
      .settings = {.interval = 1500ms, .timeout = 300ms, .rise = 4, .fall = 5}};
  EXPECT_THAT(found[0].checks, testing::ElementsAre(http, tcp(9000)));
}

TEST(EndpointsFile, what_is_left_out_is_the_nodes_address_and_a_tcp_check_of_the_first_tcp_port) {
  const auto found = read(
      "endpoints: [{service: a, namespace: shop, ports: [{name: quic, number: 443, protocol: UDP}, {name: web, number: "
      "80}]}]");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "shop/a/10.0.0.1:443");
  EXPECT_EQ(found[0].endpoint.addresses, kDefaults.addresses);
  EXPECT_EQ(found[0].endpoint.weight, 1U);
  EXPECT_THAT(found[0].checks, testing::ElementsAre(tcp(80)));
}

TEST(EndpointsFile, a_v6_address_is_bracketed_in_the_key) {
  const auto found =
      read("endpoints: [{service: a, namespace: shop, address: 'fd00::7', weight: 0, ports: [{number: 80}]}]");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "shop/a/[fd00::7]:80");
  EXPECT_EQ(found[0].endpoint.weight, 0U);
}

TEST(EndpointsFile, an_http_check_takes_200_to_399_at_the_root_by_default) {
  const auto found =
      read("endpoints: [{service: a, namespace: shop, ports: [{number: 80}], checks: [{http: {port: 80}}]}]");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_THAT(found[0].checks, testing::ElementsAre(CheckSpec{.what = probes::HttpCheck{.to = {80, {}}}}));
}

TEST(EndpointsFile, problems_have_their_place) {
  EXPECT_THAT(problems("endpoints:\n- service: a\n  namespace: shop\n  ports: [{number: 80800}]\n"),
              testing::StartsWith("app.yaml:4:"));
  EXPECT_THAT(problems("endpoints:\n- {service: a"), testing::StartsWith("app.yaml:"));
}

TEST(EndpointsFile, an_empty_file_is_one_that_is_being_written) {
  EXPECT_EQ(problems(" \n"), "app.yaml: the file is empty; \"endpoints: []\" lists none\n");
  EXPECT_EQ(problems("endpoints: []"), "none");
}

TEST(EndpointsFile, what_has_no_default_here_must_be_given) {
  EXPECT_EQ(problems("endpoints: [{service: a, namespace: shop, ports: [{number: 80}]}]", {}),
            "app.yaml: endpoints[0]: address is missing, and the node has none\n");
  EXPECT_EQ(problems("endpoints: [{service: a, namespace: shop, ports: [{number: 514, protocol: UDP}]}]"),
            "app.yaml: endpoints[0]: checks is missing: an endpoint without a TCP port has no check by default\n");
}

}  // namespace
}  // namespace meshdns::discovery
