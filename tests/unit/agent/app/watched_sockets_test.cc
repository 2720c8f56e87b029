#include "agent/app/watched_sockets.h"

#include <gmock/gmock.h>

namespace meshdns::agent::app {
namespace {

using discovery::CheckSpec;
using discovery::Discovered;
using testing::IsEmpty;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

Discovered listed(const char* address, std::vector<model::Port> ports, std::vector<probes::AnyCheck> checks) {
  Discovered out;
  out.endpoint.addresses = {ip(address)};
  out.endpoint.ports = std::move(ports);
  for (auto& check : checks) out.checks.push_back(CheckSpec{.what = std::move(check)});
  return out;
}

TEST(WatchedSockets, has_the_addresses_and_udp_ports_of_endpoints_and_checks) {
  const probes::TcpCheck tcp{.to = {80, {}}};
  const probes::UdpCheck udp{.to = {4000, ip("10.0.0.9")}};
  const probes::DnsCheck dns{.to = {53, {}}, .name = "a."};
  const probes::DnsCheck dns_over_tcp{.to = {54, {}}, .name = "a.", .tcp = true};
  const auto found = watched_sockets({listed("10.0.0.1", {{.name = "http", .number = 80}}, {tcp}),
                                      listed("10.0.0.2", {{.name = "quic", .number = 443, .protocol = "UDP"}}, {tcp}),
                                      listed("10.0.0.3", {}, {dns, dns_over_tcp, probes::NoneCheck{}}),
                                      listed("10.0.0.4", {}, {probes::GroupCheck{1, {udp, tcp}}})},
                                     {});
  EXPECT_EQ(found.addresses,
            (std::set{ip("10.0.0.1"), ip("10.0.0.2"), ip("10.0.0.3"), ip("10.0.0.4"), ip("10.0.0.9")}));
  EXPECT_EQ(found.udp_ports, (std::set<std::uint16_t>{443, 53, 4000}));
}

discovery::PodEndpoint pod(const char* address, const char* service) {
  discovery::PodEndpoint out;
  out.found = listed(address, {{.name = "http", .number = 80}, {.name = "dns", .number = 53, .protocol = "UDP"}}, {});
  out.found.endpoint.service = service;
  return out;
}

TEST(WatchedSockets, pods_that_nobody_checks_and_the_hosts_addresses_are_left_out) {
  auto in_hosts_network = pod("10.0.0.1", "app-b");
  in_hosts_network.host_network = true;
  const auto found = watched_sockets({}, {in_hosts_network, pod("10.1.0.2", "app-b"), pod("10.1.0.3", "")});
  EXPECT_EQ(found.addresses, std::set{ip("10.1.0.2")});
  EXPECT_EQ(found.udp_ports, std::set<std::uint16_t>{53});
  EXPECT_EQ(watched_sockets({}, {pod("10.1.0.3", "")}), WatchedSockets{});
}

}  // namespace
}  // namespace meshdns::agent::app
