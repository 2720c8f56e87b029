#include "common/time/validity_text.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

constexpr std::int64_t kBegin = 1795806000;  // 2026-11-27T19:00:00Z
constexpr std::int64_t kEnd = kBegin + 3600;

TEST(ValidityText, says_since_when_or_until_when) {
  EXPECT_EQ(validity_problem(kBegin, kEnd, kBegin - 1), "not valid before 2026-11-27T19:00:00Z");
  EXPECT_EQ(validity_problem(kBegin, kEnd, kBegin), "");
  EXPECT_EQ(validity_problem(kBegin, kEnd, kEnd), "");
  EXPECT_EQ(validity_problem(kBegin, kEnd, kEnd + 1), "expired at 2026-11-27T20:00:00Z");
}

TEST(ValidityText, shows_the_clock_that_may_be_wrong) {
  EXPECT_EQ(clock_hint(kBegin), "this machine's clock says 2026-11-27T19:00:00Z (a clock may be wrong)");
}

}  // namespace
}  // namespace meshdns
