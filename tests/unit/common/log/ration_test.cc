#include "common/log/ration.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace meshdns::log {
namespace {

std::int64_t lines_of(const std::string& text) { return std::ranges::count(text, '\n'); }

// 20,000 refusals of a peer were 20,000 lines.
TEST(RationTest, a_flood_is_a_few_lines_and_a_count) {
  Ration ration("refusals", 3);
  TimePoint now{1h};
  testing::internal::CaptureStderr();
  for (int i = 0; i < 20000; ++i) ration.warn(now, "refused", {{"number", i}});
  EXPECT_EQ(ration.left_out(), 19997U);
  ration.look(now + Ration::kInterval - 1ms);
  EXPECT_EQ(ration.left_out(), 19997U);
  ration.look(now + Ration::kInterval);
  ration.warn(now + Ration::kInterval, "refused", {{"number", 20000}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines_of(text), 5) << text;
  EXPECT_NE(text.find("refused number=2\n"), std::string::npos) << text;
  EXPECT_NE(text.find("log lines left out kind=refusals lines=19997"), std::string::npos) << text;
  EXPECT_NE(text.find("refused number=20000"), std::string::npos) << text;
}

TEST(RationTest, a_line_now_and_then_is_written) {
  Ration ration("refusals", 3);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 30; ++i) ration.info(TimePoint{i * Ration::kInterval / 3}, "refused", {});
  EXPECT_EQ(lines_of(testing::internal::GetCapturedStderr()), 30);
  EXPECT_EQ(ration.left_out(), 0U);
}

}  // namespace
}  // namespace meshdns::log
