// What the peers of a port may hold: all together, and those of one address.
#include "common/rpc/stream_limits.h"

#include <gtest/gtest.h>

#include <vector>

namespace meshdns::rpc {
namespace {

TEST(QuotaTest, an_address_has_its_share_and_leaves_the_rest_to_others) {
  Quota quota({.total = 10, .each = 4});
  EXPECT_TRUE(quota.take("a", 4));
  EXPECT_FALSE(quota.take("a", 1));
  EXPECT_TRUE(quota.take("b", 4));
  EXPECT_FALSE(quota.take("c", 3)) << "eleven of ten";
  EXPECT_TRUE(quota.take("c", 2));
  EXPECT_FALSE(quota.open_to("d"));
  quota.give_back("a", 4);
  EXPECT_EQ(quota.total(), 6U);
  EXPECT_EQ(quota.of("a"), 0U);
  EXPECT_TRUE(quota.open_to("d"));
}

TEST(QuotaTest, what_is_larger_than_a_share_passes_alone) {
  Quota quota({.total = 10, .each = 4});
  EXPECT_TRUE(quota.take("a", 7));
  EXPECT_FALSE(quota.take("a", 1));
}

TEST(QuotaTest, a_share_is_given_back_when_it_goes) {
  Quota quota({.total = 10, .each = 4});
  {
    Quota::Share share(quota, "a");
    EXPECT_TRUE(share.grow(3));
    EXPECT_FALSE(share.grow(3));
    share.hold(3);
    EXPECT_EQ(share.held(), 6U);
    EXPECT_FALSE(share.is_open());
  }
  EXPECT_EQ(quota.total(), 0U);
}

StreamLimits::Options few() {
  StreamLimits::Options out;
  out.open = {6, 4};
  out.silent = {3, 2};
  return out;
}

class StreamLimitsTest : public testing::Test {
 protected:
  bool open(const std::string& peer) {
    auto ticket = limits_->admit(peer);
    if (!ticket) return false;
    tickets_.push_back(std::move(ticket));
    return true;
  }

  std::shared_ptr<StreamLimits> limits_ = std::make_shared<StreamLimits>(few());
  std::vector<std::shared_ptr<StreamLimits::Ticket>> tickets_;
};

// 2,000 streams without a Hello: each of them costs memory before anybody knows whose it is.
TEST_F(StreamLimitsTest, streams_that_say_nothing_are_few) {
  EXPECT_TRUE(open("ipv4:10.0.0.1:1"));
  EXPECT_TRUE(open("ipv4:10.0.0.1:2"));
  EXPECT_FALSE(open("ipv4:10.0.0.1:3"));
  EXPECT_TRUE(open("ipv4:10.0.0.2:1")) << "another address is not hurt";
  EXPECT_FALSE(open("ipv4:10.0.0.3:1")) << "three of all";
  tickets_.front()->spoke();
  tickets_.front()->spoke();
  EXPECT_TRUE(open("ipv4:10.0.0.1:3"));
  EXPECT_EQ(limits_->counts().refused_silent, 2U);
  EXPECT_EQ(limits_->counts().silent, 3U);
  EXPECT_EQ(limits_->counts().open, 4U);
}

TEST_F(StreamLimitsTest, streams_are_bounded_and_their_end_makes_room) {
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(open("ipv4:10.0.0.1:1"));
    tickets_.back()->spoke();
  }
  EXPECT_FALSE(open("ipv4:10.0.0.1:1"));
  EXPECT_EQ(limits_->counts().refused, 1U);
  EXPECT_EQ(limits_->counts().silent, 0U) << "the refused one is not counted";
  tickets_.pop_back();
  EXPECT_TRUE(open("ipv4:10.0.0.1:1"));
}

// gRPC bounds the streams of a connection only if the client has acknowledged the bound.
TEST_F(StreamLimitsTest, streams_of_one_connection_are_bounded) {
  StreamLimits::Options options = few();
  options.connection = 3;
  limits_ = std::make_shared<StreamLimits>(options);
  const auto speak = [this](const std::string& peer) {
    const bool opened = open(peer);
    if (opened) tickets_.back()->spoke();
    return opened;
  };
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(speak("ipv4:10.0.0.1:1"));
  EXPECT_FALSE(speak("ipv4:10.0.0.1:1"));
  EXPECT_EQ(limits_->counts().refused_connection, 1U);
  EXPECT_EQ(limits_->counts().open, 3U) << "the refused one is not counted";
  EXPECT_EQ(limits_->counts().silent, 0U);
  EXPECT_TRUE(speak("ipv4:10.0.0.1:2")) << "another connection of the address";
  tickets_.erase(tickets_.begin());
  EXPECT_TRUE(speak("ipv4:10.0.0.1:1")) << "the end of a stream makes room";
  tickets_.clear();
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(speak("unix:/run/x")) << "the names of local peers do not name connections";
}

TEST_F(StreamLimitsTest, an_ipv6_peer_is_counted_by_its_64) {
  EXPECT_EQ(quota_address("ipv6:%5B2001:db8::1%5D:1"), quota_address("ipv6:%5B2001:db8::2%5D:9"));
  EXPECT_NE(quota_address("ipv6:%5B2001:db8::1%5D:1"), quota_address("ipv6:%5B2001:db8:0:1::1%5D:1"));
  EXPECT_EQ(quota_address("unix:/run/x"), "");
}

}  // namespace
}  // namespace meshdns::rpc
