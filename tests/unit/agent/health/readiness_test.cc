#include "agent/health/readiness.h"

#include <gtest/gtest.h>

namespace meshdns::health {
namespace {

using model::Health;
using model::HealthState;

constexpr TimePoint kStart{1h};
const PodReport kReady{.ready = true, .since = 100, .runs = {{"c", {"containerd://aa", 0}}}};

// The rest of Readiness is in tests/scenario/pods.

TEST(Readiness, an_equal_report_changes_nothing) {
  Readiness readiness;
  EXPECT_TRUE(readiness.on_report(kReady, kStart));
  EXPECT_FALSE(readiness.on_report(kReady, kStart + 1s));
  EXPECT_EQ(readiness.health().since, kStart);
}

TEST(Readiness, evidence_counts_only_against_a_pod_that_is_ready) {
  Readiness readiness;
  EXPECT_FALSE(readiness.on_evidence(Evidence::Refused, "connection refused", kStart));
  EXPECT_FALSE(readiness.on_result({.outcome = Outcome::Refused}, kStart));
  PodReport report = kReady;
  report.ready = false;
  readiness.on_report(report, kStart);
  EXPECT_FALSE(readiness.on_evidence(Evidence::Refused, "connection refused", kStart));
  EXPECT_EQ(readiness.evidence(), std::nullopt);
  readiness.on_report(kReady, kStart);
  EXPECT_TRUE(readiness.on_evidence(Evidence::Refused, "connection refused", kStart));
  EXPECT_EQ(readiness.evidence(), Evidence::Refused);
}

TEST(Readiness, the_rise_is_a_setting) {
  Readiness readiness(1);
  readiness.on_report(kReady, kStart);
  readiness.on_evidence(Evidence::ListenerGone, "gone", kStart);
  EXPECT_TRUE(readiness.on_result({.outcome = Outcome::Success}, kStart));
  EXPECT_EQ(readiness.health().state, HealthState::Serving);
}

// A message of a readiness gate may have any length; a record may not.
TEST(Readiness, a_long_message_is_cut) {
  Readiness readiness;
  PodReport report;
  report.why = std::string(5000, 'x');
  readiness.on_report(report, kStart);
  EXPECT_EQ(readiness.health().detail.size(), 1024U);
}

TEST(Readiness, a_drain_is_counted_from_the_first_report_and_only_shortened) {
  Readiness readiness;
  PodReport report = kReady;
  report.grace = 30s;
  readiness.on_report(report, kStart);
  EXPECT_EQ(readiness.health().drain_until, kStart + 30s);
  report.since = 101;
  readiness.on_report(report, kStart + 10s);
  EXPECT_EQ(readiness.health().drain_until, kStart + 30s);
  report.grace = 0s;
  readiness.on_report(report, kStart + 12s);
  EXPECT_EQ(readiness.health().drain_until, kStart + 12s);
}

const Health kServing{.state = HealthState::Serving, .since = kStart};
const Health kNotReady{.state = HealthState::Failing, .detail = "not ready", .since = kStart};

TEST(WithChecks, readiness_that_says_no_is_final) {
  EXPECT_EQ(with_checks(kNotReady, kServing), kNotReady);
  const Health draining{.state = HealthState::Draining, .since = kStart};
  EXPECT_EQ(with_checks(draining, kNotReady), draining);
}

TEST(WithChecks, a_ready_pod_serves_before_its_first_check) {
  const Health checked = with_checks(kServing, Health{.detail = "http 503", .streak = 2, .needed = 3});
  EXPECT_EQ(checked.state, HealthState::Serving);
  EXPECT_EQ(checked.detail, "http 503");
  const Health failed = with_checks(kServing, Health{.detail = "http 503", .streak = 3, .needed = 3});
  EXPECT_EQ(failed.state, HealthState::Failing);
}

TEST(WithChecks, checks_take_a_ready_pod_out) {
  const Health failing{.state = HealthState::Failing, .detail = "http 503", .since = kStart + 5s, .needed = 2};
  EXPECT_EQ(with_checks(kServing, failing), failing);
  Health passing{.state = HealthState::Serving, .since = kStart - 5s, .needed = 3};
  passing.v6 = HealthState::Failing;
  const Health out = with_checks(kServing, passing);
  EXPECT_EQ(out.since, kStart);
  EXPECT_EQ(out.v6, HealthState::Failing);
}

}  // namespace
}  // namespace meshdns::health
