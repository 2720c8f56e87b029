#include "common/time/time_text.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

TEST(TimeText, reads_utc) {
  EXPECT_EQ(parse_time("1970-01-01T00:00:00Z").value(), 0);
  EXPECT_EQ(parse_time("2026-11-27T18:00:00Z").value(), 1795802400);
  EXPECT_EQ(parse_time("2024-02-29T23:59:59Z").value(), 1709251199);
  EXPECT_EQ(parse_time("9999-12-31T23:59:59Z").value(), 253402300799);
}

TEST(TimeText, prints_what_it_reads_back) {
  for (const auto* text : {"1970-01-01T00:00:00Z", "2026-11-27T18:01:02Z", "9999-12-31T23:59:59Z"}) {
    EXPECT_EQ(time_text(parse_time(text).value()), text);
  }
}

TEST(TimeText, refuses_other_forms_and_days_that_there_are_not) {
  for (const auto* text :
       {"", "2026-11-27", "2026-11-27 18:00:00Z", "2026-11-27T18:00:00", "2026-11-27T18:00:00+01:00",
        "2026-11-27T18:00:00.5Z", "2026-1-27T18:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-27T24:00:00Z", "2026-11-27T18:60:00Z",
        "2026-11-27T18:00:60Z", "1969-12-31T23:59:59Z", "2026-11-27T18:00:00z", "+026-11-27T18:00:00Z"}) {
    const auto parsed = parse_time(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().message(), std::string("expected a time like 2026-11-27T18:00:00Z (got ") + text + ")");
  }
}

}  // namespace
}  // namespace meshdns
