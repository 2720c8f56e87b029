#include "agent/app/status.h"

#include <gmock/gmock.h>

#include "agent/app/agent_metrics.h"
#include "common/time/sim_clock.h"

namespace meshdns::agent::app {
namespace {

using model::HealthState;

constexpr TimePoint kNow{1h};

model::Endpoint failing() {
  model::Endpoint out;
  out.key = "shop/app-b/10.0.0.1:80";
  out.namespace_ = "shop";
  out.service = "app-b";
  out.addresses = {IpAddress::parse("10.0.0.1").value()};
  out.health = {.state = HealthState::Failing, .detail = "http 503", .since = kNow - 12s, .streak = 1, .needed = 2};
  return out;
}

report::Syncer make_syncer() {
  return report::Syncer({[](const model::Endpoint& endpoint, TimePoint) { return endpoint.key; },
                         [](const std::string& key, const std::string&) { return key.size(); }});
}

TEST(Status, why_counts_towards_the_next_state) {
  EXPECT_EQ(why_text({.state = HealthState::Failing, .detail = "http 503", .streak = 1, .needed = 2}),
            "http 503, 1 of 2 successes");
  EXPECT_EQ(why_text({.state = HealthState::Serving, .streak = 2, .needed = 3}), "2 of 3 failures");
  EXPECT_EQ(why_text({.state = HealthState::Serving, .needed = 3}), "");
}

TEST(Status, endpoints_say_how_long_and_why) {
  report::Syncer syncer = make_syncer();
  syncer.put(failing(), kNow);
  const auto status = status_of({.key = "eu-1/n1", .locality = {.cluster = "eu-1", .node = "n1"}}, syncer, kNow);
  EXPECT_EQ(status.node(), "n1");
  EXPECT_EQ(status.cluster(), "eu-1");
  EXPECT_EQ(status.federation().state(), "offline");
  EXPECT_EQ(status.federation().unsent(), 1U);
  ASSERT_EQ(status.endpoints_size(), 1);
  const auto& endpoint = status.endpoints(0);
  EXPECT_EQ(endpoint.state(), "failing");
  EXPECT_EQ(endpoint.why(), "http 503, 1 of 2 successes");
  EXPECT_EQ(endpoint.for_(), "12s");
  EXPECT_EQ(endpoint.refused(), "");
}

TEST(Status, a_refusal_is_shown_with_its_field) {
  report::Syncer syncer = make_syncer();
  syncer.put(failing(), kNow);
  syncer.connected();
  syncer.on_message(report::Ack{1, {{failing().key, "ports", "must not be empty"}}}, kNow);
  EXPECT_EQ(status_of({}, syncer, kNow).endpoints(0).refused(), "ports: must not be empty");
}

TEST(Status, an_endpoint_that_an_older_federation_does_not_take_is_shown_so) {
  report::Syncer syncer = make_syncer();
  model::Endpoint pod = failing();
  pod.service.clear();
  syncer.put(pod, kNow);
  EXPECT_EQ(status_of({}, syncer, kNow).endpoints(0).refused(), "");
  syncer.connected();
  syncer.on_message(report::Welcome{.epoch = 7, .instance = "", .measure = {}, .without_service = false}, kNow);
  EXPECT_THAT(status_of({}, syncer, kNow).endpoints(0).refused(), testing::StartsWith("service: "));
}

TEST(Status, left_counts_in_english) {
  EXPECT_EQ(left_text("eu-1/n1", 1, "f:7400"), "eu-1/n1 left the federation at f:7400: 1 endpoint withdrawn");
  EXPECT_EQ(left_text("eu-1/n1", 2, "f:7400"), "eu-1/n1 left the federation at f:7400: 2 endpoints withdrawn");
}

TEST(Metrics, endpoints_are_counted_by_state) {
  SimClock clock;
  const Monitor monitor(clock, clock, nullptr, {}, {});
  const Measurer measurer(clock, clock, nullptr, {}, 1);
  report::Syncer syncer = make_syncer();
  syncer.put(failing(), kNow);
  std::vector<metrics::Sample> samples;
  collect_samples(monitor, measurer, syncer, samples);
  for (const auto& sample : samples) {
    if (sample.name != "meshdns_agent_endpoints") continue;
    EXPECT_EQ(sample.value, sample.labels.at("state") == "failing" ? 1 : 0) << sample.labels.at("state");
  }
  EXPECT_EQ(samples.size(), 4U + 6U + 5U + 9U);
}

}  // namespace
}  // namespace meshdns::agent::app
