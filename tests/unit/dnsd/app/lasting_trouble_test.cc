#include "dnsd/app/lasting_trouble.h"

#include <gtest/gtest.h>

namespace meshdns::app {
namespace {

using Say = LastingTrouble::Say;

constexpr TimePoint kStart{1h};

TEST(LastingTrouble, is_told_at_both_edges_and_once_a_minute) {
  LastingTrouble trouble;
  EXPECT_EQ(trouble.observe(false, kStart), Say::Nothing);
  EXPECT_EQ(trouble.observe(true, kStart), Say::Begins);
  EXPECT_EQ(trouble.observe(true, kStart + 59s), Say::Nothing);
  EXPECT_EQ(trouble.observe(true, kStart + 61s), Say::Lasts);
  EXPECT_EQ(trouble.observe(true, kStart + 120s), Say::Nothing) << "a minute from the last word";
  EXPECT_EQ(trouble.observe(true, kStart + 121s), Say::Lasts);
  EXPECT_EQ(trouble.begun(), kStart);
  EXPECT_EQ(trouble.observe(false, kStart + 122s), Say::Ends);
  EXPECT_EQ(trouble.observe(false, kStart + 300s), Say::Nothing);
  EXPECT_EQ(trouble.observe(true, kStart + 301s), Say::Begins) << "another one";
  EXPECT_EQ(trouble.begun(), kStart + 301s);
}

// What fails each second for an hour is told 60 times, not 3,600 times.
TEST(LastingTrouble, an_hour_of_failures_is_sixty_one_lines) {
  LastingTrouble trouble;
  int lines = 0;
  for (Duration after{}; after <= 1h; after += 1s) {
    if (trouble.observe(true, kStart + after) != Say::Nothing) ++lines;
  }
  EXPECT_EQ(lines, 61);
}

}  // namespace
}  // namespace meshdns::app
