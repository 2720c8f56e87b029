#include "agent/health/combined.h"

#include <gtest/gtest.h>

namespace meshdns::health {
namespace {

using model::Health;
using model::HealthState;

constexpr TimePoint kStart{1h};
const Health kServing{.state = HealthState::Serving, .since = kStart, .needed = 3};
const Health kFailing{.state = HealthState::Failing, .detail = "http 503", .since = kStart + 5s, .needed = 2};

Health changed(Health health, const std::function<void(Health&)>& change) {
  change(health);
  return health;
}

TEST(Combined, of_one_check_is_that_check) {
  EXPECT_EQ(combined({kServing}), kServing);
  EXPECT_EQ(combined({kFailing}), kFailing);
}

TEST(Combined, waits_for_the_first_success_of_every_check) {
  EXPECT_EQ(combined({kServing, kFailing, Health{}}).state, HealthState::Pending);
}

TEST(Combined, serves_when_all_do_since_the_last_of_them_does) {
  const Health second = changed(kServing, [](Health& h) { h.since = kStart + 9s; });
  EXPECT_EQ(combined({second, kServing}), second);
}

TEST(Combined, the_check_nearest_to_failing_is_told_and_puts_in_doubt) {
  const Health shaky = changed(kServing, [](Health& h) {
    h.in_doubt = true;
    h.streak = 2;
    h.detail = "timeout after 2s";
  });
  EXPECT_EQ(combined({kServing, shaky}), shaky);
}

TEST(Combined, fails_when_one_does) { EXPECT_EQ(combined({kServing, kFailing}), kFailing); }

TEST(Combined, a_rise_shows_only_when_every_failing_check_rises) {
  const Health rising = changed(kFailing, [](Health& h) {
    h.streak = 1;
    h.in_doubt = true;
  });
  EXPECT_EQ(combined({rising, kFailing}), kFailing);
  EXPECT_EQ(combined({rising, kServing}), rising);
}

TEST(Combined, one_sure_failure_is_enough_to_be_sure) {
  const Health doubtful = changed(kFailing, [](Health& h) { h.doubtful = true; });
  EXPECT_TRUE(combined({doubtful}).doubtful);
  EXPECT_FALSE(combined({doubtful, kFailing}).doubtful);
}

// Guards against the address of one family being answered by the checks of the other.
TEST(OfFamilies, an_endpoint_of_one_family_has_the_health_of_its_checks) {
  EXPECT_EQ(of_families({kServing, kFailing}, {}), kFailing);
  EXPECT_EQ(of_families({}, {kServing}), kServing);
}

TEST(OfFamilies, both_serve) {
  const Health later = changed(kServing, [](Health& h) { h.since = kStart + 9s; });
  EXPECT_EQ(of_families({later}, {kServing}), kServing) << "since the first of them does";
}

TEST(OfFamilies, the_family_that_fails_is_out_and_the_endpoint_serves) {
  const Health out = of_families({kServing}, {kFailing});
  EXPECT_EQ(out.state, HealthState::Serving);
  EXPECT_EQ(out.v6, HealthState::Failing);
  EXPECT_EQ(out.v4, std::nullopt);
  EXPECT_EQ(out.since, kServing.since);
  EXPECT_EQ(out.detail, "IPv6 is not answered: http 503");
  EXPECT_EQ(of_families({kFailing}, {kServing}).v4, HealthState::Failing);
}

TEST(OfFamilies, a_family_that_comes_back_puts_in_doubt) {
  const Health rising = changed(kFailing, [](Health& h) {
    h.streak = 1;
    h.in_doubt = true;
  });
  EXPECT_TRUE(of_families({kServing}, {rising}).in_doubt);
}

TEST(OfFamilies, nothing_is_known_of_a_family_before_it_is_judged) {
  const Health waiting{.streak = 2, .needed = 3};
  const Health refused{.detail = "connection refused", .streak = 3, .needed = 3};
  EXPECT_EQ(of_families({kServing}, {waiting}).v6, HealthState::Pending);
  EXPECT_EQ(of_families({kServing}, {refused}).v6, HealthState::Failing);
}

TEST(OfFamilies, one_that_never_served_is_no_last_resort) {
  const Health refused{.detail = "connection refused", .streak = 3, .needed = 3};
  const Health out = of_families({kFailing}, {refused});
  EXPECT_EQ(out.state, HealthState::Failing);
  EXPECT_EQ(out.v6, HealthState::Pending);
  EXPECT_EQ(of_families({kFailing}, {kFailing}).v6, std::nullopt) << "both are";
}

TEST(OfFamilies, both_pending_are_judged_when_both_have_failed_often_enough) {
  const Health waiting{.streak = 1, .needed = 3};
  const Health refused{.detail = "connection refused", .streak = 3, .needed = 3};
  EXPECT_EQ(of_families({refused}, {waiting}), waiting);
  EXPECT_EQ(of_families({waiting}, {refused}), waiting);
  EXPECT_EQ(of_families({refused}, {refused}), refused);
}

}  // namespace
}  // namespace meshdns::health
