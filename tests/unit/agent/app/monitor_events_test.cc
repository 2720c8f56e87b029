// Kernel events in the monitor: sockets at one address, and listeners that appear.
#include <gmock/gmock.h>

#include "agent/app/monitor.h"
#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using discovery::Discovered;
using health::Outcome;
using model::HealthState;

SocketAddress at(const std::string& text) { return SocketAddress::parse(text).value(); }

/// An endpoint whose key is its address.
Discovered listed(const std::string& address) {
  Discovered out;
  out.key = out.endpoint.key = address;
  out.endpoint.namespace_ = "shop";
  out.endpoint.service = "app-b";
  out.endpoint.addresses = {at(address).ip};
  out.endpoint.ports = {{.name = "http", .number = at(address).port}};
  out.checks = {test::FakeProbes::tcp(at(address).port)};
  return out;
}

class MonitorEventsTest : public testing::Test {
 protected:
  void serves(const std::string& address) { world.answers[at(address)] = {Outcome::Success}; }
  HealthState state(const std::string& key) { return monitor.endpoints().at(key).health.state; }
  /// Two instances of app-b that serve.
  void two_serve() {
    serves("10.0.0.1:80");
    serves("10.0.0.2:80");
    monitor.set_endpoints({listed("10.0.0.1:80"), listed("10.0.0.2:80")});
    sim.advance(1s);
    ASSERT_EQ(state("10.0.0.2:80"), HealthState::Serving);
    world.runs.clear();
  }

  SimClock sim;
  test::FakeProbes world{sim, sim};
  Monitor monitor{
      sim,
      sim,
      [this](const probes::Place& place, const discovery::CheckSpec& spec) { return world.make(place.address, spec); },
      {[](const model::Endpoint&) {}, [](const std::string&) {}},
      {"eu-1/n1", 7}};
};

TEST_F(MonitorEventsTest, an_endpoint_is_found_at_the_ports_that_it_has_now) {
  two_serve();
  EXPECT_EQ(monitor.closed(at("10.0.0.1:80")), 1U);
  EXPECT_EQ(monitor.closed(at("10.0.0.1:81")), 0U);
  Discovered moved = listed("10.0.0.1:80");
  moved.endpoint.ports = {{.name = "http", .number = 8000}};
  moved.checks = {test::FakeProbes::tcp(81)};
  monitor.set_endpoints({moved});
  EXPECT_EQ(monitor.closed(at("10.0.0.1:80")), 0U);
  EXPECT_EQ(monitor.closed(at("10.0.0.1:81")), 1U);
  EXPECT_EQ(monitor.closed(at("10.0.0.1:8000")), 1U);
  monitor.set_endpoints({});
  sim.advance(Monitor::kReplacement + 1s);
  EXPECT_EQ(monitor.closed(at("10.0.0.1:81")), 0U);
  EXPECT_EQ(monitor.closed(at("10.0.0.2:80")), 0U);
}

TEST_F(MonitorEventsTest, the_end_of_all_sockets_at_an_address_is_about_its_endpoints_only) {
  two_serve();
  EXPECT_EQ(monitor.closed(at("10.0.0.2:0")), 1U);
  sim.advance(10ms);
  ASSERT_EQ(world.runs.size(), 1U);
  EXPECT_EQ(world.runs[0].address, at("10.0.0.2:80"));
  EXPECT_EQ(monitor.closed(at("0.0.0.0:0")), 2U);
}

TEST_F(MonitorEventsTest, a_listener_that_appears_is_probed_if_its_endpoint_is_pending) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({listed("10.0.0.1:80"), listed("10.0.0.2:80"), listed("10.0.0.3:80")});
  sim.advance(2s);
  ASSERT_EQ(state("10.0.0.1:80"), HealthState::Serving);
  ASSERT_EQ(state("10.0.0.2:80"), HealthState::Pending);
  serves("10.0.0.2:80");
  world.runs.clear();
  EXPECT_EQ(monitor.opened(at("10.0.0.2:80")), 1U);
  EXPECT_EQ(monitor.opened(at("10.0.0.1:80")), 0U) << "it serves already";
  EXPECT_EQ(monitor.opened(at("10.0.0.2:81")), 0U);
  sim.advance(10ms);
  EXPECT_EQ(state("10.0.0.2:80"), HealthState::Serving);
  EXPECT_EQ(world.runs.size(), 1U);
}

// Otherwise a listener that opens and closes at once would be a verdict.
TEST_F(MonitorEventsTest, a_probe_of_a_listener_that_appeared_is_no_verdict_if_it_is_refused) {
  monitor.set_endpoints({listed("10.0.0.1:80")});
  sim.advance(400ms);
  EXPECT_EQ(monitor.opened(at("0.0.0.0:80")), 1U);
  sim.advance(10ms);
  EXPECT_EQ(state("10.0.0.1:80"), HealthState::Pending);
}

}  // namespace
}  // namespace meshdns::agent::app
