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

}  // namespace
}  // namespace meshdns::health
