#include "common/rpc/peer_ration.h"

#include <gtest/gtest.h>

namespace meshdns::rpc {
namespace {

using Left = std::optional<std::uint64_t>;

TEST(PeerRationTest, a_peer_has_one_line_a_minute_and_the_rest_is_counted) {
  PeerRation ration;
  EXPECT_EQ(ration.admit("10.0.0.1", "expired", 1000), Left(0));
  EXPECT_EQ(ration.admit("10.0.0.1", "expired", 1000), Left());
  EXPECT_EQ(ration.admit("10.0.0.1", "expired", 1059), Left());
  EXPECT_EQ(ration.admit("10.0.0.1", "expired", 1060), Left(2));
  EXPECT_EQ(ration.admit("10.0.0.1", "expired", 1120), Left(0));
}

TEST(PeerRationTest, one_peer_hides_no_other_and_no_other_reason) {
  PeerRation ration;
  EXPECT_EQ(ration.admit("10.0.0.1", "expired", 1000), Left(0));
  EXPECT_EQ(ration.admit("10.0.0.2", "expired", 1000), Left(0));
  EXPECT_EQ(ration.admit("10.0.0.1", "unknown authority", 1000), Left(0));
}

TEST(PeerRationTest, a_clock_that_is_set_back_silences_nobody) {
  PeerRation ration;
  EXPECT_EQ(ration.admit("10.0.0.1", "", 5000), Left(0));
  EXPECT_EQ(ration.admit("10.0.0.1", "", 1000), Left(0));
  EXPECT_EQ(ration.admit("10.0.0.1", "", 1001), Left());
}

TEST(PeerRationTest, a_peer_with_reasons_without_number_hides_no_other) {
  PeerRation ration;
  std::size_t lines = 0;
  for (int i = 0; i < 5000; ++i) lines += ration.admit("10.0.0.1", "CN=" + std::to_string(i), 1000) ? 1U : 0U;
  EXPECT_EQ(lines, PeerRation::kMostOfAPeer + 1);
  EXPECT_EQ(ration.admit("10.0.0.2", "expired", 1000), Left(0));
}

TEST(PeerRationTest, peers_without_number_share_a_line) {
  PeerRation ration;
  for (std::size_t i = 0; i < PeerRation::kMostPeers; ++i)
    ASSERT_EQ(ration.admit(std::to_string(i), "", 1000), Left(0));
  EXPECT_EQ(ration.admit("one more", "", 1000), Left(0));
  EXPECT_EQ(ration.admit("and another", "", 1000), Left());
  EXPECT_EQ(ration.admit("later there is room again", "", 1060), Left(0));
}

}  // namespace
}  // namespace meshdns::rpc
