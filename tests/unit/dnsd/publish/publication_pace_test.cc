#include "dnsd/publish/publication_pace.h"

#include <gtest/gtest.h>

namespace meshdns::publish {
namespace {

constexpr TimePoint kStart{1h};

TEST(PublicationPace, the_first_change_goes_out_at_once) { EXPECT_EQ(PublicationPace{}.wait(kStart), 0s); }

TEST(PublicationPace, a_cheap_publication_is_followed_after_10_ms) {
  PublicationPace pace;
  pace.published(kStart, 1ms);
  EXPECT_EQ(pace.wait(kStart + 1ms), 9ms);
  EXPECT_EQ(pace.wait(kStart + 10ms), 0s);
  EXPECT_EQ(pace.wait(kStart + 1h), 0s);
}

TEST(PublicationPace, a_dear_one_after_twice_its_cost_but_never_more_than_250_ms) {
  PublicationPace pace;
  pace.published(kStart, 40ms);
  EXPECT_EQ(pace.wait(kStart + 40ms), 40ms);
  pace.published(kStart, 2s);
  EXPECT_EQ(pace.wait(kStart), 250ms);
}

}  // namespace
}  // namespace meshdns::publish
