// Checks in the monitor that connect nowhere, or know by themselves: once for an endpoint, for each of its families.
#include <gmock/gmock.h>

#include "agent/app/monitor.h"
#include "agent/app/troubles.h"
#include "agent/probes/alias_probe.h"
#include "agent/probes/group_probe.h"
#include "agent/probes/none_probe.h"
#include "agent/probes/ttl_probe.h"
#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using discovery::CheckSpec;
using discovery::Discovered;
using health::Outcome;
using model::HealthState;
using testing::ElementsAre;
using testing::IsEmpty;

SocketAddress at(const std::string& text) { return SocketAddress::parse(text).value(); }

class MonitorChecksTest : public testing::Test {
 protected:
  std::unique_ptr<probes::Probe> make(const probes::Place& place, const CheckSpec& spec) {
    if (const auto* ttl = std::get_if<probes::TtlCheck>(&spec.what)) {
      return std::make_unique<probes::TtlProbe>(probes::TtlProbe::Parts{sim, sim, pushes}, place.endpoint, *ttl);
    }
    if (const auto* alias = std::get_if<probes::AliasCheck>(&spec.what)) {
      const probes::ServiceBoard::Name asker{place.namespace_, place.service};
      return std::make_unique<probes::AliasProbe>(sim, monitor.services(), asker, *alias);
    }
    if (std::holds_alternative<probes::NoneCheck>(spec.what)) return std::make_unique<probes::NoneProbe>(sim);
    if (const auto* group = std::get_if<probes::GroupCheck>(&spec.what)) {
      std::vector<probes::GroupPart> parts;
      for (const auto& part : group->parts) {
        const CheckSpec alone{std::visit([](const auto& kind) { return probes::AnyCheck(kind); }, part), {}, false};
        parts.push_back({probes::kind_name(part), [this, place, alone] { return make(place, alone); }});
      }
      return std::make_unique<probes::GroupProbe>(std::move(parts), group->needed);
    }
    return world.make(place.address, spec);
  }

  static Discovered endpoint(const std::string& service, std::vector<CheckSpec> checks,
                             const std::vector<std::string>& addresses = {"10.0.0.1:80"}) {
    Discovered out;
    out.key = out.endpoint.key = "shop/" + service;
    out.endpoint.namespace_ = "shop";
    out.endpoint.service = service;
    for (const std::string& address : addresses) out.endpoint.addresses.push_back(at(address).ip);
    out.endpoint.ports = {{.name = "http", .number = 80}};
    out.checks = std::move(checks);
    return out;
  }
  static CheckSpec ttl(Duration time = 30s) { return {.what = probes::TtlCheck{time}}; }
  static CheckSpec alias(const std::string& service) { return {.what = probes::AliasCheck{"shop", service}}; }
  void serves(const std::string& address) { world.answers[at(address)] = {Outcome::Success}; }
  void dies(const std::string& address) {
    world.answers.erase(at(address));
    monitor.closed(at(address));
    sim.advance(5ms);
  }
  model::Health health(const std::string& service) { return monitor.endpoints().at("shop/" + service).health; }
  HealthState state(const std::string& service) { return health(service).state; }
  void push(const std::string& service, Outcome outcome, const std::string& detail = "") {
    pushes.push("shop/" + service, outcome, detail, sim.now());
    sim.advance(1ms);
  }

  SimClock sim;
  test::FakeProbes world{sim, sim};
  probes::PushBoard pushes;
  std::vector<std::string> told;
  Monitor monitor{
      sim,
      sim,
      [this](const probes::Place& place, const CheckSpec& spec) { return make(place, spec); },
      {[this](const model::Endpoint& endpoint) {
         told.push_back(endpoint.service + " " + std::string(model::health_state_name(endpoint.health.state)));
       },
       [](const std::string&) {}},
      {"eu-1/n1", 7}};
};

TEST_F(MonitorChecksTest, a_push_is_the_state_at_once_both_ways_and_silence_is_the_end) {
  monitor.set_endpoints({endpoint("web", {ttl()})});
  sim.advance(1min);
  EXPECT_EQ(state("web"), HealthState::Pending);
  EXPECT_EQ(health("web").detail, "the service has not pushed its health yet");
  EXPECT_THAT(troubles_of(monitor), IsEmpty()) << "the agent has no problem";
  push("web", Outcome::Success);
  EXPECT_EQ(state("web"), HealthState::Serving);
  push("web", Outcome::Warning, "queue long");
  sim.advance(20ms);
  EXPECT_EQ(state("web"), HealthState::Serving);
  EXPECT_TRUE(health("web").in_doubt);
  EXPECT_EQ(health("web").detail, "queue long");
  sim.advance(1s);
  push("web", Outcome::Failure, "no database");
  EXPECT_EQ(state("web"), HealthState::Failing);
  EXPECT_EQ(health("web").detail, "no database");
  sim.advance(1s);
  push("web", Outcome::Success);
  EXPECT_EQ(state("web"), HealthState::Serving);
  sim.advance(30s - 2ms);
  EXPECT_EQ(state("web"), HealthState::Serving);
  sim.advance(3ms);
  EXPECT_EQ(state("web"), HealthState::Failing) << "not at the next interval";
  EXPECT_EQ(health("web").detail, "no push within 30s");
}

TEST_F(MonitorChecksTest, a_check_at_no_address_is_made_once_and_counts_for_both_families) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({endpoint("web", {test::FakeProbes::tcp(80), ttl()}, {"10.0.0.1:80", "[fd00::1]:80"})});
  push("web", Outcome::Success);
  sim.advance(10s);
  EXPECT_EQ(monitor.checks().size(), 3U);
  EXPECT_EQ(state("web"), HealthState::Serving);
  EXPECT_EQ(health("web").v6, HealthState::Failing);
  serves("[fd00::1]:80");
  sim.advance(10s);
  EXPECT_EQ(health("web").v6, std::nullopt);
  push("web", Outcome::Failure, "full");
  EXPECT_EQ(state("web"), HealthState::Failing);
  EXPECT_EQ(health("web").v4, std::nullopt);
  EXPECT_EQ(health("web").v6, std::nullopt);
}

TEST_F(MonitorChecksTest, a_check_at_a_fixed_address_is_made_once_there) {
  CheckSpec sidecar{.what = probes::TcpCheck{.to = {9000, at("127.0.0.1:9000").ip}}};
  serves("127.0.0.1:9000");
  monitor.set_endpoints({endpoint("web", {sidecar}, {"10.0.0.1:80", "[fd00::1]:80"})});
  sim.advance(1s);
  EXPECT_EQ(world.runs.size(), 1U);
  EXPECT_EQ(state("web"), HealthState::Serving);
  dies("127.0.0.1:9000");
  EXPECT_EQ(state("web"), HealthState::Failing) << "the end of its listener is an event";
}

TEST_F(MonitorChecksTest, an_endpoint_that_others_check_serves_while_it_is_listed) {
  monitor.set_endpoints({endpoint("web", {{.what = probes::NoneCheck{}}})});
  sim.advance(1min);
  EXPECT_THAT(told, ElementsAre("web pending", "web serving"));
}

TEST_F(MonitorChecksTest, an_alias_follows_its_service_at_once) {
  serves("10.0.0.2:80");
  monitor.set_endpoints({endpoint("db", {test::FakeProbes::tcp(80)}, {"10.0.0.2:80"}), endpoint("web", {alias("db")})});
  sim.advance(1s);
  EXPECT_EQ(state("web"), HealthState::Serving);
  dies("10.0.0.2:80");
  EXPECT_EQ(state("web"), HealthState::Failing);
  EXPECT_EQ(health("web").detail, "shop/db is failing: connection refused");
  serves("10.0.0.2:80");
  sim.advance(7s);
  EXPECT_EQ(state("db"), HealthState::Serving);
  EXPECT_EQ(state("web"), HealthState::Serving);
}

TEST_F(MonitorChecksTest, aliases_of_each_other_are_never_judged_and_somebody_is_told) {
  monitor.set_endpoints({endpoint("a", {alias("b")}), endpoint("b", {alias("a")}), endpoint("c", {alias("none")})});
  sim.advance(1min);
  EXPECT_EQ(state("a"), HealthState::Pending);
  EXPECT_EQ(state("b"), HealthState::Pending);
  EXPECT_EQ(health("b").detail, "not checked: the alias shop/a depends on shop/b itself");
  EXPECT_EQ(health("c").detail, "not checked: this node has no endpoint of shop/none");
  EXPECT_THAT(troubles_of(monitor), ElementsAre("1 check cannot run: the alias shop/a depends on shop/b itself",
                                                "1 check cannot run: the alias shop/b depends on shop/a itself",
                                                "1 check cannot run: this node has no endpoint of shop/none"));
}

TEST_F(MonitorChecksTest, a_group_has_one_result) {
  probes::GroupCheck any{.needed = 1, .parts = {probes::TcpCheck{.to = {80, {}}}, probes::TtlCheck{30s}}};
  serves("10.0.0.1:80");
  monitor.set_endpoints({endpoint("web", {{.what = any}})});
  sim.advance(1s);
  EXPECT_EQ(state("web"), HealthState::Serving);
  push("web", Outcome::Failure, "full");
  sim.advance(10s);
  EXPECT_EQ(state("web"), HealthState::Serving);
  dies("10.0.0.1:80");
  EXPECT_EQ(state("web"), HealthState::Failing) << "at once: a refusal after an event, and what the service has said";
  EXPECT_EQ(health("web").detail, "tcp: connection refused; ttl: full");
  sim.advance(CheckRunner::kNewsApart);
  push("web", Outcome::Success);
  EXPECT_EQ(state("web"), HealthState::Serving);
}

TEST_F(MonitorChecksTest, an_event_does_not_ask_what_knows_by_itself) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({endpoint("web", {test::FakeProbes::tcp(80), ttl()})});
  push("web", Outcome::Success);
  sim.advance(1s);
  const auto runs = [this](const std::string& kind) {
    for (const auto& view : monitor.checks()) {
      if (view.kind == kind) return view.last_run;
    }
    return TimePoint{};
  };
  const TimePoint before = runs("ttl");
  monitor.closed(at("10.0.0.1:80"));
  sim.advance(2ms);
  EXPECT_EQ(runs("ttl"), before);
  EXPECT_EQ(runs("tcp"), sim.now() - 2ms);
}

TEST_F(MonitorChecksTest, the_first_checks_of_many_endpoints_are_spread) {
  std::vector<Discovered> many;
  for (int i = 0; i < 6000; ++i) many.push_back(endpoint("s" + std::to_string(i), {test::FakeProbes::tcp(80)}));
  monitor.set_endpoints(many);
  sim.advance(1s);
  EXPECT_NEAR(static_cast<double>(world.runs.size()), 2000, 200);
  sim.advance(2s);
  EXPECT_GE(world.runs.size(), 6000U);
  world.runs.clear();
  many.push_back(endpoint("one-more", {test::FakeProbes::tcp(81)}));
  monitor.set_endpoints(many);
  sim.advance(200ms);
  EXPECT_EQ(std::ranges::count_if(world.runs, [](const auto& run) { return run.address.port == 81; }), 1)
      << "a single one does not wait";
}

TEST_F(MonitorChecksTest, people_see_all_checks) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({endpoint("web", {test::FakeProbes::tcp(80), ttl()})});
  sim.advance(1s);
  const auto views = monitor.checks();
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0].kind, "tcp");
  EXPECT_EQ(views[0].address, "10.0.0.1:80");
  EXPECT_EQ(views[0].endpoint, "shop/web");
  EXPECT_EQ(views[0].last->outcome, Outcome::Success);
  EXPECT_EQ(views[0].latency, 1ms);
  EXPECT_EQ(views[0].health.state, HealthState::Serving);
  EXPECT_GT(views[0].next_run, sim.now());
  EXPECT_LE(views[0].last_run, sim.now() - 800ms);
  EXPECT_EQ(views[1].kind, "ttl");
  EXPECT_EQ(views[1].address, "");
  EXPECT_EQ(views[1].last->outcome, Outcome::Unknown);
}

TEST_F(MonitorChecksTest, people_may_ask_for_a_run_now) {
  serves("10.0.0.1:80");
  monitor.set_endpoints({endpoint("web", {test::FakeProbes::tcp(80)}), endpoint("db", {test::FakeProbes::tcp(81)})});
  sim.advance(1s);
  world.runs.clear();
  std::vector<std::vector<CheckView>> answers;
  const auto done = [&](const std::vector<CheckView>& views) { answers.push_back(views); };
  const TimePoint asked = sim.now();
  monitor.run_now("shop", "web", done);
  EXPECT_THAT(answers, IsEmpty()) << "not from within the call";
  sim.advance(1ms);
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_EQ(answers[0].size(), 1U);
  EXPECT_EQ(answers[0][0].last_run, asked);
  EXPECT_EQ(world.runs.size(), 1U);
  monitor.run_now("shop", "nothing", done);
  sim.advance(0s);
  EXPECT_THAT(answers.back(), IsEmpty());
  world.answer_time = 1min;
  monitor.run_now("shop", "web", done);
  monitor.set_endpoints({});
  sim.advance(0s);
  EXPECT_EQ(answers.size(), 3U) << "an endpoint that goes is not waited for";
  EXPECT_EQ(sim.pending(), 0U);
}

TEST_F(MonitorChecksTest, a_run_that_has_begun_is_older_than_the_question) {
  serves("10.0.0.1:80");
  world.answer_time = 100ms;
  monitor.set_endpoints({endpoint("web", {test::FakeProbes::tcp(80)})});
  while (world.open == 0) sim.advance(1ms);
  const TimePoint asked = sim.now() + 10ms;
  sim.advance(10ms);
  std::optional<TimePoint> began;
  monitor.run_now("shop", "web", [&](const std::vector<CheckView>& views) { began = views.at(0).last_run; });
  sim.advance(1s);
  ASSERT_TRUE(began);
  EXPECT_GE(*began, asked);
}

}  // namespace
}  // namespace meshdns::agent::app
