#include <gmock/gmock.h>

#include "agent/app/monitor.h"
#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

// What a source knows of endpoints that are containers: that they have ended, and that they do not serve.
namespace meshdns::agent::app {
namespace {

using discovery::Discovered;
using health::Outcome;
using model::HealthState;
using testing::ElementsAre;

constexpr const char* kKey = "container/a1";

class MonitorContainersTest : public testing::Test {
 protected:
  SimClock sim;
  test::FakeProbes world{sim, sim};
  std::vector<std::string> told;
  Monitor monitor{
      sim,
      sim,
      [this](const probes::Place& where, const discovery::CheckSpec& spec) { return world.make(where.address, spec); },
      {[this](const model::Endpoint& endpoint) {
         told.push_back(endpoint.key + " " + std::string(model::health_state_name(endpoint.health.state)));
       },
       [this](const std::string& key) { told.push_back("removed " + key); }},
      {"eu-1/n1", 7}};

  static Discovered container(const std::string& key, const std::string& down = "") {
    Discovered out;
    out.key = out.endpoint.key = key;
    out.endpoint.namespace_ = "shop";
    out.endpoint.service = "web";
    out.endpoint.addresses = {IpAddress::parse("10.0.0.1").value()};
    out.endpoint.ports = {{.name = "http", .number = 80}};
    out.checks = {test::FakeProbes::tcp(80)};
    out.down = down;
    out.endpoint.source = "containers";
    return out;
  }
  model::Health health() { return monitor.endpoints().at(kKey).health; }
  void serves() {
    world.answers[SocketAddress::parse("10.0.0.1:80").value()] = {Outcome::Success};
    monitor.set_endpoints({container(kKey)});
    sim.advance(1s);
    ASSERT_EQ(health().state, HealthState::Serving);
    told.clear();
  }
};

TEST_F(MonitorContainersTest, one_that_its_source_knows_to_be_down_fails_whatever_its_checks_say) {
  serves();
  sim.advance(1min);
  monitor.set_endpoints({container(kKey, "container paused")});
  EXPECT_THAT(told, ElementsAre("container/a1 failing"));
  EXPECT_EQ(health().detail, "container paused");
  EXPECT_EQ(health().since, sim.now());
  sim.advance(1min);
  EXPECT_EQ(told.size(), 1U);
  monitor.set_endpoints({container(kKey)});
  EXPECT_THAT(told, ElementsAre("container/a1 failing", "container/a1 serving"));
}

TEST_F(MonitorContainersTest, one_that_has_never_served_stays_pending_while_it_is_down) {
  world.answers[SocketAddress::parse("10.0.0.1:80").value()] = {Outcome::Success};
  monitor.set_endpoints({container(kKey, "container starting")});
  sim.advance(1min);
  EXPECT_EQ(health().state, HealthState::Pending);
  EXPECT_EQ(health().detail, "container starting");
  EXPECT_EQ(health().streak, 1U);  // a verdict for a federation that knows it from before
  monitor.set_endpoints({container(kKey)});
  EXPECT_EQ(health().state, HealthState::Serving);
}

TEST_F(MonitorContainersTest, one_that_has_ended_is_removed_at_once_though_its_replacement_is_pending) {
  serves();
  Discovered next = container("container/b2");
  next.endpoint.addresses = {IpAddress::parse("10.0.0.2").value()};
  monitor.set_endpoints({next});
  EXPECT_THAT(told, ElementsAre("container/b2 pending", "removed container/a1"));
}

// Guards the health of an ended container that another one at the same published port would have got.
TEST_F(MonitorContainersTest, another_one_at_the_same_address_has_to_succeed_itself) {
  serves();
  monitor.set_endpoints({container("container/b2")});
  EXPECT_THAT(told, ElementsAre("container/b2 pending", "removed container/a1"));
}

}  // namespace
}  // namespace meshdns::agent::app
