#include "common/time/duration_text.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

TEST(DurationText, reads_every_unit) {
  EXPECT_EQ(parse_duration("500ms").value(), 500ms);
  EXPECT_EQ(parse_duration("1m30s").value(), 90s);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  EXPECT_EQ(parse_duration("2d").value(), 48h);
  EXPECT_EQ(parse_duration("0").value(), 0s);
}

TEST(DurationText, refuses_what_is_not_one) {
  for (const auto* bad : {"", "5", "s", "5 s", "-5s", "5x", "1s1m", "1s2s", "1e3s", "99999999d"}) {
    const auto parsed = parse_duration(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_NE(parsed.error().message().find("unit"), std::string::npos);
  }
}

TEST(DurationText, prints_what_it_reads_back) {
  for (const Duration d : std::vector<Duration>{0s, 1ns, 90s, 36h, 1500ms}) {
    EXPECT_EQ(parse_duration(duration_text(d)).value(), d) << duration_text(d);
  }
  EXPECT_EQ(duration_text(1h + 1ms), "1h1ms");
}

TEST(DurationText, ages_have_two_units_at_most) {
  EXPECT_EQ(age_text(800ms), "0.8s");
  EXPECT_EQ(age_text(12s + 900ms), "12s");
  EXPECT_EQ(age_text(4h + 12min + 50s), "4h12m");
  EXPECT_EQ(age_text(3h + 1s), "3h");
  EXPECT_EQ(age_text(50h), "2d2h");
  EXPECT_EQ(age_text(-1s), "0.0s");
}

}  // namespace
}  // namespace meshdns
