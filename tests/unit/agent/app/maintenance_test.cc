#include "agent/app/maintenance.h"

#include <gmock/gmock.h>

namespace meshdns::agent::app {
namespace {

using model::HealthState;

constexpr TimePoint kNow{10h};
constexpr std::int64_t kUnix = 1'800'000'000;
constexpr Instant kAt{kNow, kUnix};

model::Endpoint endpoint(const std::string& service, HealthState state = HealthState::Serving) {
  model::Endpoint out;
  out.key = "shop/" + service + "/10.0.0.1:80";
  out.namespace_ = "shop";
  out.service = service;
  out.health = {.state = state, .detail = "as it was", .since = kNow - 1h, .streak = 1, .needed = 3};
  return out;
}

Drain drain_of(const std::string& target, std::optional<Duration> length = std::nullopt, TimePoint since = kNow) {
  Drain out{target, "kernel update", since, std::nullopt};
  if (length) out.until = since + *length;
  return out;
}

TEST(Maintenance, a_serving_endpoint_is_reported_as_draining_with_the_reason_and_the_end) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.drain(drain_of("", 30min)));
  const auto reported = maintenance.reported(endpoint("web"));
  EXPECT_EQ(reported.health, (model::Health{.state = HealthState::Draining,
                                            .detail = "drained at its node: kernel update",
                                            .since = kNow,
                                            .drain_until = kNow + 30min}));
}

TEST(Maintenance, what_does_not_serve_is_no_better_for_being_drained) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.drain(drain_of("")));
  for (const auto state : {HealthState::Pending, HealthState::Failing, HealthState::Draining}) {
    EXPECT_EQ(maintenance.reported(endpoint("web", state)), endpoint("web", state));
  }
}

TEST(Maintenance, a_drain_covers_the_node_a_service_or_an_endpoint) {
  const auto drained = [](const std::string& target, const std::string& service) {
    Maintenance maintenance;
    EXPECT_TRUE(maintenance.drain(drain_of(target)));
    return maintenance.reported(endpoint(service)).health.state == HealthState::Draining;
  };
  EXPECT_TRUE(drained("", "web"));
  EXPECT_TRUE(drained("shop/web", "web"));
  EXPECT_TRUE(drained("shop/web/10.0.0.1:80", "web"));
  EXPECT_FALSE(drained("shop/web", "db"));
  EXPECT_FALSE(drained("shop/we", "web"));
}

TEST(Maintenance, of_several_drains_the_one_that_ends_last_counts) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.drain(drain_of("", 1h)));
  ASSERT_TRUE(maintenance.drain(drain_of("shop/web", 2h)));
  EXPECT_EQ(maintenance.drain_of(endpoint("web"))->target, "shop/web");
  ASSERT_TRUE(maintenance.drain(drain_of("")));
  EXPECT_EQ(maintenance.drain_of(endpoint("web"))->target, "");
  ASSERT_TRUE(maintenance.drain(drain_of("shop/web")));
  EXPECT_EQ(maintenance.drain_of(endpoint("web"))->target, "shop/web");
}

TEST(Maintenance, a_drain_again_has_the_new_end_and_the_old_beginning) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.drain(drain_of("", 1h)));
  ASSERT_TRUE(maintenance.drain(drain_of("", 1h, kNow + 30min)));
  EXPECT_EQ(maintenance.drains().at("").since, kNow);
  EXPECT_EQ(maintenance.next(), kNow + 90min);
}

TEST(Maintenance, drains_end_by_themselves_or_are_taken_back) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.drain(drain_of("shop/web", 1h)));
  ASSERT_TRUE(maintenance.drain(drain_of("shop/db", 2h)));
  ASSERT_TRUE(maintenance.drain(drain_of("")));
  EXPECT_EQ(maintenance.next(), kNow + 1h);
  EXPECT_THAT(maintenance.expire(kNow + 1h - 1ns), testing::IsEmpty());
  EXPECT_THAT(maintenance.expire(kNow + 1h), testing::ElementsAre(drain_of("shop/web", 1h)));
  EXPECT_EQ(maintenance.next(), kNow + 2h);
  EXPECT_TRUE(maintenance.undrain("shop/db"));
  EXPECT_FALSE(maintenance.undrain("shop/db"));
  EXPECT_EQ(maintenance.next(), std::nullopt);
  EXPECT_EQ(maintenance.drains().size(), 1U);
}

TEST(Maintenance, there_is_a_bound) {
  Maintenance maintenance(1);
  ASSERT_TRUE(maintenance.drain(drain_of("shop/web")));
  EXPECT_EQ(maintenance.drain(drain_of("shop/db")).error().code(), Code::ResourceExhausted);
  EXPECT_TRUE(maintenance.drain(drain_of("shop/web", 1h)));
}

TEST(Maintenance, a_restart_changes_nothing_but_the_monotonic_clock) {
  Maintenance before;
  ASSERT_TRUE(before.drain(drain_of("", 90min, kNow - 1h)));
  ASSERT_TRUE(before.drain(drain_of("shop/web")));
  const std::string text = before.text(kAt);
  Maintenance after;
  // the machine has booted: its clock began anew, 10 minutes have passed
  ASSERT_TRUE(after.restore(text, {TimePoint(1h), kUnix + 600}));
  EXPECT_EQ(after.drains().at(""), (Drain{"", "kernel update", TimePoint(1h) - 70min, TimePoint(1h) + 20min}));
  EXPECT_EQ(after.drains().at("shop/web").until, std::nullopt);
  EXPECT_EQ(after.text({TimePoint(1h), kUnix + 600}), text);
}

TEST(Maintenance, a_drain_that_has_ended_meanwhile_expires_at_once) {
  Maintenance before;
  ASSERT_TRUE(before.drain(drain_of("", 1h)));
  Maintenance after;
  ASSERT_TRUE(after.restore(before.text(kAt), {kNow, kUnix + 2 * 3600}));
  EXPECT_EQ(after.expire(kNow).size(), 1U);
}

TEST(Maintenance, a_wall_clock_that_went_back_makes_no_drain_of_the_future) {
  Maintenance before;
  ASSERT_TRUE(before.drain(drain_of("", 1h)));
  Maintenance after;
  ASSERT_TRUE(after.restore(before.text(kAt), {kNow, kUnix - 3600}));
  EXPECT_EQ(after.drains().at("").since, kNow);
}

TEST(Maintenance, a_damaged_file_is_refused_whole) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.drain(drain_of("shop/web")));
  for (const char* line : {"x", "*\t1\t-", "*\t1\t-\tr\tmore", "\t1\t-\tr", "*\tx\t-\tr", "*\t1\tx\tr",
                           "*\t99999999999999999999\t-\tr", "*\t18446744073709551615\t-\tr"}) {
    EXPECT_EQ(maintenance.restore("# head\n*\t1\t-\tfine\n" + std::string(line) + "\n", kAt).error(),
              Error(Code::DataLoss, "line 3 is no drain"))
        << line;
  }
  EXPECT_EQ(maintenance.drains().count("shop/web"), 1U);
}

TEST(Maintenance, times_of_a_damaged_file_do_not_overflow) {
  Maintenance maintenance;
  ASSERT_TRUE(maintenance.restore("*\t0\t9223372036854775807\tr\n", kAt));
  EXPECT_GT(*maintenance.next(), kNow);
}

}  // namespace
}  // namespace meshdns::agent::app
