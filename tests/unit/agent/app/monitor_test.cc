#include "agent/app/monitor.h"

#include <gmock/gmock.h>

#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using discovery::Discovered;
using health::Outcome;
using model::HealthState;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

/// An agent whose thread was held up sees its timers fire when the clock is further already.
struct LateClock : Clock {
  explicit LateClock(const SimClock& clock) : sim(clock) {}
  TimePoint now() const override { return sim.now() + lag; }
  std::int64_t unix_seconds() const override { return sim.unix_seconds(); }

  const SimClock& sim;
  Duration lag{};
};

SocketAddress at(const std::string& text) { return SocketAddress::parse(text).value(); }

Discovered listed(const std::string& address, const std::string& service = "app-b") {
  Discovered out;
  const SocketAddress where = at(address);
  out.key = "shop/" + service + "/" + address;
  out.endpoint.key = out.key;
  out.endpoint.namespace_ = "shop";
  out.endpoint.service = service;
  out.endpoint.addresses = {where.ip};
  out.endpoint.ports = {{.name = "http", .number = where.port}};
  out.checks = {test::FakeProbes::tcp(where.port)};
  return out;
}

class MonitorTest : public testing::Test {
 protected:
  SimClock sim;
  LateClock clock{sim};
  test::FakeProbes world{clock, sim};
  std::vector<std::string> told;
  Monitor monitor{
      clock,
      sim,
      [this](const probes::Place& where, const discovery::CheckSpec& spec) { return world.make(where.address, spec); },
      {[this](const model::Endpoint& endpoint) { on_put(endpoint); },
       [this](const std::string& key) { told.push_back("removed " + key); }},
      {"eu-1/n1", 7}};

  void on_put(const model::Endpoint& endpoint) {
    told.push_back(endpoint.key + " " + std::string(model::health_state_name(endpoint.health.state)) +
                   (endpoint.health.in_doubt ? " in doubt" : ""));
  }
  void serves(const std::string& address) { world.answers[at(address)] = {Outcome::Success}; }
  void dies(const std::string& address) { world.answers.erase(at(address)); }
  model::Endpoint endpoint(const std::string& key) { return monitor.endpoints().at(key); }
  HealthState state(const std::string& key) { return endpoint(key).health.state; }
  /// Two instances of app-b that serve.
  void two_serve() {
    serves("10.0.0.1:80");
    serves("10.0.0.2:80");
    monitor.set_endpoints({listed("10.0.0.1:80"), listed("10.0.0.2:80")});
    sim.advance(1s);
    ASSERT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Serving);
    ASSERT_EQ(state("shop/app-b/10.0.0.2:80"), HealthState::Serving);
    told.clear();
    world.runs.clear();
  }
};

TEST_F(MonitorTest, an_endpoint_is_told_while_pending_and_serves_after_one_success) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({listed("10.0.0.1:80")});
  EXPECT_THAT(told, ElementsAre("shop/app-b/10.0.0.1:80 pending"));
  EXPECT_EQ(endpoint("shop/app-b/10.0.0.1:80").node, "eu-1/n1");
  EXPECT_EQ(endpoint("shop/app-b/10.0.0.1:80").health.since, sim.now());
  sim.advance(300ms);
  EXPECT_THAT(told, ElementsAre("shop/app-b/10.0.0.1:80 pending", "shop/app-b/10.0.0.1:80 serving"));
}

TEST_F(MonitorTest, an_instance_listed_with_its_ports_in_another_order_never_stops_serving) {
  serves("10.0.0.1:80");
  serves("10.0.0.1:81");
  Discovered before = listed("10.0.0.1:80");
  before.endpoint.ports.push_back({.name = "other", .number = 81});
  monitor.set_endpoints({before});
  sim.advance(1s);
  told.clear();
  Discovered after = listed("10.0.0.1:81");
  after.endpoint.ports = {{.name = "other", .number = 81}, {.name = "http", .number = 80}};
  monitor.set_endpoints({after});
  EXPECT_THAT(told, ElementsAre("shop/app-b/10.0.0.1:81 serving", "removed shop/app-b/10.0.0.1:80"));
  sim.advance(10s);
  EXPECT_EQ(told.size(), 2U);
}

TEST_F(MonitorTest, what_replaces_an_endpoint_is_told_as_serving_before_that_one_is_removed) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({listed("10.0.0.1:80")});
  sim.advance(1s);
  told.clear();
  monitor.set_endpoints({listed("10.0.0.2:80")});
  sim.advance(1min);
  EXPECT_THAT(told, Each("shop/app-b/10.0.0.2:80 pending")) << "the old one is all that serves";
  told.clear();
  serves("10.0.0.2:80");
  sim.advance(6s);
  EXPECT_THAT(told, ElementsAre("shop/app-b/10.0.0.2:80 serving", "removed shop/app-b/10.0.0.1:80"));
}

TEST_F(MonitorTest, an_endpoint_that_waits_for_its_replacement_goes_when_it_fails_or_has_waited_long) {
  serves("10.0.0.1:80");
  serves("10.0.0.3:80");
  monitor.set_endpoints({listed("10.0.0.1:80"), listed("10.0.0.3:80")});
  sim.advance(1s);
  monitor.set_endpoints({listed("10.0.0.2:80")});
  dies("10.0.0.1:80");
  sim.advance(30s);
  EXPECT_FALSE(monitor.endpoints().contains("shop/app-b/10.0.0.1:80"));
  EXPECT_TRUE(monitor.endpoints().contains("shop/app-b/10.0.0.3:80"));
  sim.advance(Monitor::kReplacement);
  EXPECT_FALSE(monitor.endpoints().contains("shop/app-b/10.0.0.3:80"));
}

TEST_F(MonitorTest, an_endpoint_that_is_listed_again_stays) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({listed("10.0.0.1:80")});
  sim.advance(1s);
  monitor.set_endpoints({listed("10.0.0.2:80")});
  monitor.set_endpoints({listed("10.0.0.1:80"), listed("10.0.0.2:80")});
  serves("10.0.0.2:80");
  sim.advance(Monitor::kReplacement + 1min);
  EXPECT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Serving);
}

TEST_F(MonitorTest, nothing_is_told_while_nothing_changes) {
  two_serve();
  sim.advance(1min);
  EXPECT_GE(world.runs.size(), 20U);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(MonitorTest, checks_go_on_at_the_edge_interval_until_the_verdict) {
  two_serve();
  dies("10.0.0.1:80");
  sim.advance(5500ms + 2s + 10ms);
  EXPECT_EQ(told.back(), "shop/app-b/10.0.0.1:80 failing");
  EXPECT_EQ(endpoint("shop/app-b/10.0.0.1:80").health.detail, "connection refused");
  EXPECT_EQ(state("shop/app-b/10.0.0.2:80"), HealthState::Serving);
}

TEST_F(MonitorTest, a_destroyed_listener_is_probed_at_once_and_a_refusal_is_the_verdict) {
  two_serve();
  dies("10.0.0.1:80");
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(1ms);
  EXPECT_THAT(told, ElementsAre("shop/app-b/10.0.0.1:80 failing"));
  EXPECT_EQ(world.runs.size(), 1U);
  EXPECT_EQ(world.reconnected, 1) << "a connection that a check has kept says nothing about the listener";
}

TEST_F(MonitorTest, an_event_alone_changes_nothing_where_another_listener_answers) {
  two_serve();
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(10ms);
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(MonitorTest, an_event_goes_to_the_endpoints_that_may_stand_behind_it) {
  two_serve();
  const auto probed = [this](const char* where) {
    const std::size_t before = world.runs.size();
    monitor.closed(at(where));
    sim.advance(2ms);
    return world.runs.size() - before;
  };
  EXPECT_EQ(probed("10.0.0.3:80"), 0U);
  EXPECT_EQ(probed("10.0.0.1:81"), 0U);
  EXPECT_EQ(probed("10.0.0.2:80"), 1U);
  EXPECT_EQ(probed("0.0.0.0:80"), 2U);
  EXPECT_EQ(probed("[::]:80"), 2U);
  EXPECT_EQ(probed("0.0.0.0:0"), 2U) << "events were lost";
}

TEST_F(MonitorTest, an_event_on_the_port_of_the_endpoint_asks_checks_of_other_ports_too) {
  Discovered found = listed("10.0.0.1:80");
  found.checks.edit()[0] = test::FakeProbes::tcp(9000);
  serves("10.0.0.1:9000");
  monitor.set_endpoints({found});
  sim.advance(1s);
  dies("10.0.0.1:9000");
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(1ms);
  EXPECT_EQ(state(found.key), HealthState::Failing);
}

TEST_F(MonitorTest, an_event_restarts_a_probe_that_runs) {
  two_serve();
  world.answer_time = 1min;
  sim.advance(4750ms);
  world.answer_time = 1ms;
  ASSERT_EQ(world.open, 2);
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(2ms);
  EXPECT_EQ(world.open, 1);
}

// Guards against a listener in a crash loop that would keep each probe from ending.
TEST_F(MonitorTest, events_in_a_row_ask_once_more_and_not_without_end) {
  two_serve();
  dies("10.0.0.1:80");
  for (int i = 0; i < 100; ++i) monitor.closed(at("10.0.0.1:80"));
  EXPECT_EQ(world.runs.size(), 1U);
  sim.advance(3ms);
  EXPECT_EQ(world.runs.size(), 2U);
  EXPECT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Failing);
}

TEST_F(MonitorTest, a_probe_that_starts_late_gets_more_time_and_its_timeout_proves_little) {
  two_serve();
  world.answer_time = 1min;
  clock.lag = 1500ms;
  sim.advance(10min);
  EXPECT_EQ(world.runs.front().timeout, 3500ms);
  EXPECT_EQ(world.runs.back().timeout, 2s) << "on time again, by its own clock";
  clock.lag = {};
}

TEST_F(MonitorTest, a_failure_of_a_late_agent_is_doubtful) {
  two_serve();
  world.answer_time = 1min;
  for (int i = 0; i < 200; ++i) {
    clock.lag += 700ms;  // each wait is longer than planned
    sim.advance(500ms);
  }
  EXPECT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Failing);
  EXPECT_TRUE(endpoint("shop/app-b/10.0.0.1:80").health.doubtful);
  EXPECT_GT(monitor.counters().late, 0U);
}

TEST_F(MonitorTest, a_hair_late_is_not_late) {
  two_serve();
  clock.lag = 900ms;
  sim.advance(6s);
  EXPECT_EQ(world.runs.front().timeout, 2s);
  EXPECT_EQ(monitor.counters().late, 0U);
}

TEST_F(MonitorTest, flapping_holds_back_but_never_the_last_instance_of_a_service) {
  two_serve();
  const auto flap = [this](const std::string& address) {
    dies(address);
    monitor.closed(at(address));
    sim.advance(10ms);
    serves(address);
    sim.advance(8s);
  };
  for (int i = 0; i < 4; ++i) flap("10.0.0.1:80");
  EXPECT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Failing) << "the other one serves: it can wait";
  dies("10.0.0.2:80");
  monitor.closed(at("10.0.0.2:80"));
  sim.advance(10s);
  EXPECT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Serving);
}

TEST_F(MonitorTest, what_is_no_longer_listed_is_removed_and_no_longer_asked) {
  two_serve();
  monitor.set_endpoints({listed("10.0.0.2:80")});
  EXPECT_THAT(told, ElementsAre("removed shop/app-b/10.0.0.1:80"));
  sim.advance(20s);
  for (const auto& run : world.runs) EXPECT_EQ(run.address, at("10.0.0.2:80"));
}

TEST_F(MonitorTest, a_running_probe_ends_with_its_endpoint) {
  two_serve();
  world.answer_time = 1min;
  sim.advance(4750ms);
  ASSERT_GT(world.open, 0);
  monitor.set_endpoints({});
  EXPECT_EQ(world.open, 0);
  EXPECT_EQ(sim.pending(), 0U);
}

TEST_F(MonitorTest, new_labels_keep_health_and_schedule) {
  two_serve();
  Discovered changed = listed("10.0.0.1:80");
  changed.endpoint.labels.edit()["version"] = "v2";
  const std::size_t timers = sim.pending();
  monitor.set_endpoints({changed, listed("10.0.0.2:80")});
  EXPECT_THAT(told, ElementsAre("shop/app-b/10.0.0.1:80 serving"));
  EXPECT_EQ(endpoint(changed.key).labels.at("version"), "v2");
  EXPECT_EQ(sim.pending(), timers);
}

TEST_F(MonitorTest, a_changed_check_goes_on_from_the_health_that_was_known) {
  two_serve();
  Discovered changed = listed("10.0.0.1:80");
  changed.checks.edit()[0].settings.fall = 1;
  changed.checks.push_back(test::FakeProbes::tcp(81));
  monitor.set_endpoints({changed, listed("10.0.0.2:80")});
  EXPECT_EQ(state(changed.key), HealthState::Serving) << "never pending again";
  sim.advance(10s);
  EXPECT_EQ(state(changed.key), HealthState::Failing) << "nothing answers on port 81";
}

class TwoFamiliesTest : public MonitorTest {
 protected:
  Discovered both() {
    Discovered out = listed("10.0.0.1:80");
    out.endpoint.addresses = {at("10.0.0.1:80").ip, at("10.0.0.7:80").ip, at("[fd00::1]:80").ip};
    return out;
  }
  const std::string key = "shop/app-b/10.0.0.1:80";
};

// Guards against an address that nothing checks: the service listens on IPv4 only.
TEST_F(TwoFamiliesTest, each_family_is_checked_and_told_by_its_own_result) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({both()});
  sim.advance(10s);
  EXPECT_EQ(endpoint(key).health.state, HealthState::Serving);
  EXPECT_EQ(endpoint(key).health.v6, HealthState::Failing);
  EXPECT_EQ(endpoint(key).health.detail, "IPv6 is not answered: connection refused");
  serves("[fd00::1]:80");
  sim.advance(10s);
  EXPECT_EQ(endpoint(key).health.v6, std::nullopt);
  dies("10.0.0.1:80");
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(1ms);
  EXPECT_EQ(endpoint(key).health.state, HealthState::Serving);
  EXPECT_EQ(endpoint(key).health.v4, HealthState::Failing);
  for (const auto& run : world.runs) EXPECT_NE(run.address, at("10.0.0.7:80")) << "it is not answered";
}

TEST_F(TwoFamiliesTest, another_address_has_to_succeed_before_it_is_answered) {
  serves("10.0.0.1:80");
  serves("[fd00::1]:80");
  monitor.set_endpoints({both()});
  sim.advance(1s);
  ASSERT_EQ(endpoint(key).health.v6, std::nullopt);
  Discovered moved = both();
  moved.endpoint.addresses.back() = at("[fd00::2]:80").ip;
  monitor.set_endpoints({moved});
  EXPECT_EQ(endpoint(key).health.v6, HealthState::Pending);
  EXPECT_EQ(endpoint(key).health.state, HealthState::Serving) << "the other address did not change";
  serves("[fd00::2]:80");
  sim.advance(2s);
  EXPECT_EQ(endpoint(key).health.v6, std::nullopt);
  EXPECT_EQ(world.runs.back().address.ip, at("[fd00::2]:80").ip);
}

TEST_F(MonitorTest, the_same_list_again_is_nothing_new) {
  two_serve();
  monitor.set_endpoints({listed("10.0.0.1:80"), listed("10.0.0.2:80")});
  EXPECT_THAT(told, IsEmpty());
}

TEST_F(MonitorTest, every_outcome_is_counted) {
  two_serve();
  const auto before = monitor.counters();
  dies("10.0.0.1:80");
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(2ms);
  const auto& now = monitor.counters();
  const auto refused = static_cast<std::size_t>(Outcome::Refused);
  EXPECT_EQ(now.outcomes[refused], before.outcomes[refused] + 1);
}

// Guards against an agent that runs out of descriptors and says nothing: what dies then is answered on.
TEST_F(MonitorTest, checks_that_are_not_possible_put_in_doubt_and_are_told) {
  two_serve();
  EXPECT_THAT(monitor.unknown(), IsEmpty());
  for (const char* address : {"10.0.0.1:80", "10.0.0.2:80"}) {
    world.answers[at(address)] = {Outcome::Unknown, "out of file descriptors"};
  }
  sim.advance(20s);
  EXPECT_EQ(state("shop/app-b/10.0.0.1:80"), HealthState::Serving) << "nothing was learnt about it";
  EXPECT_TRUE(endpoint("shop/app-b/10.0.0.1:80").health.in_doubt);
  EXPECT_EQ(endpoint("shop/app-b/10.0.0.1:80").health.detail, "not checked: out of file descriptors");
  EXPECT_THAT(monitor.unknown(), ElementsAre(testing::Pair("out of file descriptors", 2U)));
  serves("10.0.0.1:80");
  sim.advance(6s);
  EXPECT_FALSE(endpoint("shop/app-b/10.0.0.1:80").health.in_doubt);
  EXPECT_THAT(monitor.unknown(), ElementsAre(testing::Pair("out of file descriptors", 1U)));
}

}  // namespace
}  // namespace meshdns::agent::app
