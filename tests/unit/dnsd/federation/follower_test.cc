#include "dnsd/federation/follower.h"

#include "common/convert/record_convert.h"
#include "common/convert/report_convert.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A follower whose federation is the test.
class FollowerTest : public testing::Test {
 protected:
  void open() {
    port_ = std::make_shared<test::FakePort<v1::WatchRequest>>();
    follower().opened(port_);
  }
  void close() { follower().closed(); }
  Follower& follower() { return subscriber_.follower; }
  /// The subscribe of the stream that is open.
  v1::Subscribe subscribe() const { return port_->sent.at(0).subscribe(); }
  v1::Acknowledge last_ack() const { return port_->sent.back().ack(); }
  void hear_snapshot() {
    federation_.feed().update();
    follower().received(reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()));
  }
  void hear_delta(std::uint64_t from) {
    federation_.feed().update();
    follower().received(reply_of(federation_.feed().delta(from, clock_.now()), clock_.now()));
  }
  void hear_status() {
    v1::WatchReply reply;
    reply.mutable_status();
    follower().received(reply);
  }

  SimClock clock_;
  Federation federation_{clock_};
  Subscriber subscriber_{clock_};
  std::shared_ptr<test::FakePort<v1::WatchRequest>> port_;
};

TEST_F(FollowerTest, says_that_it_holds_nothing_and_then_what_it_holds) {
  open();
  EXPECT_EQ(subscribe().mode(), v1::Subscribe::REPLICA);
  EXPECT_THAT(subscribe().held(), IsEmpty());
  federation_.report(2);
  hear_snapshot();
  close();
  open();
  ASSERT_THAT(subscribe().held(), SizeIs(1));
  EXPECT_EQ(subscribe().held(0).revision(), 1U);
  EXPECT_EQ(subscribe().held(0).epoch(), 1U);
  EXPECT_THAT(subscribe().held(0).buckets(), SizeIs(Feed::kBuckets));
}

TEST_F(FollowerTest, acknowledges_each_batch_when_it_is_whole) {
  open();
  federation_.report(2);
  hear_snapshot();
  EXPECT_EQ(last_ack().position().revision(), 1U);
  EXPECT_THAT(last_ack().position().buckets(), IsEmpty());
  EXPECT_EQ(subscriber_.changes, 1);
  EXPECT_EQ(port_->reads, 2);
  v1::WatchReply part;
  part.mutable_batch()->set_kind(v1::Batch::SNAPSHOT);
  follower().received(part);
  EXPECT_THAT(port_->sent, SizeIs(2)) << "there is more to come";
  EXPECT_EQ(port_->reads, 3);
}

TEST_F(FollowerTest, says_which_records_it_refused) {
  open();
  federation_.report(1);
  federation_.feed().update();
  v1::WatchReply reply = reply_of(federation_.feed().snapshot(clock_.now()), clock_.now());
  reply.mutable_batch()->mutable_records(0)->set_body("\xff\xff");
  follower().received(reply);
  ASSERT_THAT(last_ack().nacks(), SizeIs(1));
  EXPECT_EQ(last_ack().nacks(0).key(), "eu-1/n1/0");
  EXPECT_EQ(last_ack().nacks(0).code(), v1::Nack::INVALID);
  EXPECT_EQ(last_ack().position().revision(), 1U) << "the rest is taken";
}

TEST_F(FollowerTest, a_gap_is_filled_anew) {
  open();
  federation_.report(2);
  hear_snapshot();
  federation_.report(3);
  federation_.feed().update();
  federation_.report(4);
  hear_delta(2);
  EXPECT_TRUE(port_->closed);
  EXPECT_THAT(subscriber_.keys(), SizeIs(2));
  close();
  open();
  EXPECT_THAT(subscribe().held(), IsEmpty());
  hear_snapshot();
  EXPECT_THAT(subscriber_.keys(), SizeIs(4));
  close();
  open();
  EXPECT_THAT(subscribe().held(), SizeIs(1)) << "only once";
}

TEST_F(FollowerTest, any_word_shows_that_the_federation_lives) {
  const TimePoint start = clock_.now();
  EXPECT_EQ(follower().last_heard(), start);
  clock_.advance(10s);
  open();
  EXPECT_EQ(follower().last_heard(), start) << "a stream that says nothing proves nothing";
  EXPECT_FALSE(follower().connected());
  hear_status();
  EXPECT_TRUE(follower().connected());
  EXPECT_EQ(follower().last_heard(), clock_.now());
  EXPECT_EQ(subscriber_.words, 1);
  clock_.advance(5s);
  hear_status();
  EXPECT_EQ(follower().last_heard(), clock_.now());
  EXPECT_EQ(subscriber_.words, 1);
  close();
  EXPECT_FALSE(follower().connected());
}

TEST_F(FollowerTest, a_goodbye_says_when_to_come_back) {
  open();
  v1::WatchReply reply;
  *reply.mutable_goodbye()->mutable_retry_after() = convert::to_wire(7s);
  follower().received(reply);
  EXPECT_EQ(follower().retry_after(), 7s);
  close();
  EXPECT_EQ(follower().retry_after(), 7s);
  open();
  EXPECT_EQ(follower().retry_after(), 0s);
}

TEST_F(FollowerTest, what_comes_after_the_end_is_ignored) {
  open();
  close();
  hear_snapshot();
  EXPECT_EQ(subscriber_.changes, 0);
}

TEST_F(FollowerTest, a_set_that_shrinks_too_much_is_taken_when_it_is_approved) {
  open();
  federation_.report(30);
  hear_snapshot();
  federation_.catalog = Federation::empty_catalog();
  federation_.report(3);
  federation_.begin(2);
  hear_snapshot();
  EXPECT_TRUE(port_->closed);
  EXPECT_EQ(follower().retry_after(), Follower::kShrinkRetry);
  EXPECT_THAT(subscriber_.keys(), SizeIs(30));
  close();
  open();
  EXPECT_THAT(subscribe().held(), SizeIs(1)) << "what is held is good: only differences are asked for";
  hear_snapshot();
  EXPECT_THAT(subscriber_.keys(), SizeIs(30));
  close();
  subscriber_.mirror.approve_shrink();
  open();
  hear_snapshot();
  EXPECT_FALSE(port_->closed);
  EXPECT_THAT(subscriber_.keys(), SizeIs(3));
  EXPECT_EQ(subscriber_.mirror.shrink_refused(), "");
}

}  // namespace
}  // namespace meshdns::federation
