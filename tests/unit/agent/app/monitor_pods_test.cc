// Pods in the monitor: what the kubelet reports, and the agent's own evidence.
#include <gmock/gmock.h>

#include "agent/app/monitor.h"
#include "agent/app/pod_checks.h"
#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using health::Outcome;
using model::HealthState;
using testing::ElementsAre;

SocketAddress socket_at(const std::string& text) { return SocketAddress::parse(text).value(); }

discovery::PodEndpoint pod(const std::vector<std::uint16_t>& ports, bool ready = true, std::int64_t since = 1) {
  discovery::PodEndpoint out;
  out.found.key = out.found.endpoint.key = "pod/u1";
  out.found.endpoint.namespace_ = "shop";
  out.found.endpoint.service = "app-b";
  out.found.endpoint.source = "kubernetes";
  out.found.endpoint.addresses = {socket_at("10.0.0.1:80").ip};
  for (const std::uint16_t port : ports) out.found.endpoint.ports.push_back({.name = "p", .number = port});
  out.report.ready = ready;
  out.report.since = since;
  out.report.runs = {{"c", {"containerd://f00", 0}}};
  return out;
}

class MonitorPodsTest : public testing::Test {
 protected:
  SimClock sim;
  test::FakeProbes world{sim, sim};
  std::vector<std::string> told;
  Monitor monitor{
      sim,
      sim,
      [this](const probes::Place& where, const discovery::CheckSpec& spec) { return world.make(where.address, spec); },
      {[this](const model::Endpoint& endpoint) { told.emplace_back(model::health_state_name(endpoint.health.state)); },
       [this](const std::string&) { told.emplace_back("removed"); }},
      {"eu-1/n1", 7}};

  void serves(const std::string& address) { world.answers[socket_at(address)] = {Outcome::Success}; }
  void refuses(const std::string& address) {
    world.answers[socket_at(address)] = {Outcome::Refused, "connection refused"};
  }
  HealthState state() { return monitor.endpoints().at("pod/u1").health.state; }
};

TEST_F(MonitorPodsTest, a_pod_serves_as_soon_as_it_is_ready_and_is_gone_as_soon_as_it_is_not_listed) {
  monitor.set_endpoints({}, {pod({80}, false)});
  monitor.set_endpoints({}, {pod({80}, true)});
  monitor.set_endpoints({}, {pod({80}, false, 2)});
  monitor.set_endpoints({}, {});
  EXPECT_THAT(told, ElementsAre("pending", "serving", "failing", "removed"));
}

// Each node has many pods that no label names: nobody has asked to connect to them.
TEST_F(MonitorPodsTest, the_ports_of_a_pod_without_a_service_are_not_probed) {
  discovery::PodEndpoint bare = pod({80, 81});
  bare.found.endpoint.service.clear();
  EXPECT_TRUE(watched_pod(bare).checks.empty());
  EXPECT_EQ(watched_pod(pod({80, 81})).checks.size(), 2U);
  bare.found.checks = {test::FakeProbes::tcp(81)};  // by its annotation
  EXPECT_EQ(watched_pod(bare).checks.size(), 1U);
  bare.found.checks.clear();
  monitor.set_endpoints({}, {bare});
  EXPECT_EQ(state(), HealthState::Serving);
  EXPECT_TRUE(monitor.ended("pod/u1", "containerd://f00"));
  EXPECT_EQ(state(), HealthState::Failing);
}

TEST_F(MonitorPodsTest, a_declared_port_at_which_nothing_ever_listened_is_no_evidence) {
  refuses("10.0.0.1:80");
  monitor.set_endpoints({}, {pod({80})});
  sim.advance(1min);
  EXPECT_THAT(told, ElementsAre("serving"));
}

TEST_F(MonitorPodsTest, a_port_that_was_open_and_refuses_takes_the_pod_out) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({}, {pod({80})});
  sim.advance(6s);
  refuses("10.0.0.1:80");
  sim.advance(6s);
  EXPECT_EQ(state(), HealthState::Failing);
  serves("10.0.0.1:80");
  sim.advance(30s);
  EXPECT_EQ(state(), HealthState::Serving);
}

TEST_F(MonitorPodsTest, open_ports_end_no_evidence_while_another_one_refuses) {
  for (const char* address : {"10.0.0.1:80", "10.0.0.1:90", "10.0.0.1:91"}) serves(address);
  monitor.set_endpoints({}, {pod({80, 90, 91})});
  sim.advance(6s);
  refuses("10.0.0.1:80");
  sim.advance(6s);
  told.clear();
  sim.advance(2min);
  EXPECT_EQ(state(), HealthState::Failing);
  for (const std::string& once : told) EXPECT_EQ(once, "failing");
}

TEST_F(MonitorPodsTest, the_end_of_a_container_holds_though_a_sidecar_answers) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({}, {pod({80})});
  sim.advance(6s);
  EXPECT_FALSE(monitor.ended("pod/u1", "containerd://other"));
  EXPECT_TRUE(monitor.ended("pod/u1", "containerd://f00"));
  sim.advance(health::Readiness::kEndHolds / 2);
  EXPECT_EQ(state(), HealthState::Failing);
  discovery::PodEndpoint again = pod({80}, true, 2);
  again.report.runs = {{"c", {"containerd://f01", 1}}};
  monitor.set_endpoints({}, {again});
  EXPECT_EQ(state(), HealthState::Serving);
}

TEST_F(MonitorPodsTest, a_destroyed_listener_of_a_host_network_pod_is_probed) {
  serves("10.0.0.1:80");
  discovery::PodEndpoint host = pod({80});
  monitor.set_endpoints({}, {host});
  EXPECT_EQ(monitor.closed(socket_at("0.0.0.0:80")), 0U) << "other pods have no listeners in the host's network";
  host.host_network = true;
  monitor.set_endpoints({}, {host});
  EXPECT_EQ(monitor.closed(socket_at("0.0.0.0:80")), 1U);
  sim.advance(10ms);
  EXPECT_EQ(state(), HealthState::Serving) << "another listener answers";
  refuses("10.0.0.1:80");
  monitor.closed(socket_at("0.0.0.0:80"));
  sim.advance(10ms);
  EXPECT_EQ(state(), HealthState::Failing);
}

TEST_F(MonitorPodsTest, a_destroyed_listener_in_a_pods_own_network_is_probed) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({}, {pod({80, 81})});
  sim.advance(10ms);
  refuses("10.0.0.1:80");
  EXPECT_EQ(monitor.closed(socket_at("10.0.0.2:80")), 0U);
  EXPECT_EQ(monitor.closed(socket_at("10.0.0.1:80")), 1U);
  sim.advance(10ms);
  EXPECT_EQ(state(), HealthState::Failing);
}

TEST_F(MonitorPodsTest, checks_that_failed_while_the_pod_started_do_not_hold_it_back) {
  discovery::PodEndpoint checked = pod({80}, false);
  checked.found.checks = {test::FakeProbes::tcp(80)};
  refuses("10.0.0.1:80");
  monitor.set_endpoints({}, {checked});
  sim.advance(1min);
  serves("10.0.0.1:80");
  checked.report.ready = true;
  checked.report.since = 2;
  monitor.set_endpoints({}, {checked});
  EXPECT_EQ(state(), HealthState::Serving);
  sim.advance(1min);
  EXPECT_EQ(state(), HealthState::Serving);
}

}  // namespace
}  // namespace meshdns::agent::app
