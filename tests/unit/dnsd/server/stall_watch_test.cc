#include "dnsd/server/stall_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(StallWatch, names_the_threads_that_stand_still) {
  StallWatch watch;
  EXPECT_THAT(watch.look({0, 0, 0}), IsEmpty());
  EXPECT_THAT(watch.look({7, 1, 2}), IsEmpty());
  EXPECT_THAT(watch.look({8, 1, 2}), ElementsAre(1, 2));
  EXPECT_THAT(watch.look({9, 2, 2}), ElementsAre(2));
  EXPECT_THAT(watch.look({10, 3, 3}), IsEmpty());
}

}  // namespace
}  // namespace meshdns::server
