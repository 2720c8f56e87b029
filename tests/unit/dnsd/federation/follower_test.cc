#include "dnsd/federation/follower.h"

#include "common/convert/record_convert.h"
#include "common/convert/report_convert.h"
#include "dnsd/federation/features.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A follower whose federation is the test.
/// The parameter is the number of records of a part.
class FollowerTest : public testing::TestWithParam<int> {
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
    hear(reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()).batch());
  }
  void hear_delta(std::uint64_t from) {
    federation_.feed().update();
    hear(reply_of(federation_.feed().delta(from, clock_.now()), clock_.now()).batch());
  }
  void hear(const v1::Batch& batch) {
    for (v1::Batch& part : parts_of(batch, GetParam())) {
      v1::WatchReply reply;
      *reply.mutable_batch() = std::move(part);
      follower().received(reply);
    }
  }
  std::size_t acks() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(port_->sent, [](const auto& said) { return said.has_ack(); }));
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

INSTANTIATE_TEST_SUITE_P(Parts, FollowerTest, testing::Values(kOnePart, 1), part_size_name);

TEST_P(FollowerTest, says_that_it_holds_nothing_and_then_what_it_holds) {
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

TEST_P(FollowerTest, acknowledges_each_batch_when_it_is_whole) {
  open();
  federation_.report(2);
  hear_snapshot();
  EXPECT_EQ(last_ack().position().revision(), 1U);
  EXPECT_THAT(last_ack().position().buckets(), IsEmpty());
  EXPECT_EQ(subscriber_.changes, 1);
  const int reads = port_->reads;
  v1::WatchReply part;
  part.mutable_batch()->set_kind(v1::Batch::SNAPSHOT);
  follower().received(part);
  EXPECT_THAT(port_->sent, SizeIs(2)) << "there is more to come";
  EXPECT_EQ(port_->reads, reads + 1);
}

TEST_P(FollowerTest, says_which_records_it_refused) {
  open();
  federation_.report(1);
  federation_.feed().update();
  v1::Batch batch = reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()).batch();
  batch.mutable_records(0)->set_body("\xff\xff");
  hear(batch);
  ASSERT_THAT(last_ack().nacks(), SizeIs(1));
  EXPECT_EQ(last_ack().nacks(0).key(), "eu-1/n1/0");
  EXPECT_EQ(last_ack().nacks(0).code(), v1::Nack::INVALID);
  EXPECT_EQ(last_ack().position().revision(), 1U) << "the rest is taken";
}

TEST_P(FollowerTest, acknowledges_at_once_after_a_pause_and_else_once_an_interval) {
  open();
  EXPECT_THAT(subscribe().features(), ElementsAre(kLazyAck));
  federation_.report(2);
  hear_snapshot();
  EXPECT_EQ(acks(), 1U) << "the first word";
  for (int i = 3; i < 6; ++i) {
    federation_.report(i);
    hear_delta(subscriber_.mirror.revision());
  }
  EXPECT_EQ(acks(), 1U);
  clock_.advance(Follower::AckPace{}.interval);
  EXPECT_EQ(acks(), 2U);
  EXPECT_EQ(last_ack().position().revision(), 4U) << "the last of them";
  EXPECT_EQ(clock_.pending(), 0U);
  clock_.advance(Follower::AckPace{}.interval);
  EXPECT_EQ(acks(), 2U) << "nothing is new";
  federation_.report(6);
  hear_delta(4);
  EXPECT_EQ(acks(), 3U) << "the last one is long ago";
}

TEST_P(FollowerTest, acknowledges_many_records_at_once) {
  open();
  federation_.report(1);
  hear_snapshot();
  federation_.report(600);
  hear_delta(1);
  EXPECT_EQ(acks(), 1U);
  federation_.report(1200);
  hear_delta(2);
  EXPECT_EQ(acks(), 2U) << "1,199 records";
  EXPECT_EQ(last_ack().position().revision(), 3U);
}

TEST_P(FollowerTest, a_refusal_goes_at_once) {
  open();
  federation_.report(1);
  hear_snapshot();
  federation_.report(2);
  federation_.feed().update();
  v1::Batch batch = reply_of(federation_.feed().delta(1, clock_.now()), clock_.now()).batch();
  batch.mutable_records(0)->set_body("\xff\xff");
  hear(batch);
  EXPECT_EQ(acks(), 2U);
  EXPECT_THAT(last_ack().nacks(), SizeIs(1));
}

TEST_P(FollowerTest, an_acknowledgement_ends_with_its_stream) {
  open();
  federation_.report(1);
  hear_snapshot();
  federation_.report(2);
  hear_delta(1);
  close();
  clock_.advance(10s);
  EXPECT_EQ(acks(), 1U);
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_P(FollowerTest, a_stream_that_breaks_in_a_fill_has_told_nobody) {
  open();
  federation_.report(5);
  federation_.feed().update();
  const auto parts = parts_of(reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()).batch(), 1);
  for (int i = 0; i < 2; ++i) {
    v1::WatchReply reply;
    *reply.mutable_batch() = parts[static_cast<std::size_t>(i)];
    follower().received(reply);
  }
  close();
  EXPECT_EQ(subscriber_.changes, 0);
  open();
  EXPECT_THAT(subscribe().held(), IsEmpty()) << "it still says that it holds nothing";
  hear_snapshot();
  EXPECT_EQ(subscriber_.changes, 1);
  expect_follows(federation_, subscriber_);
}

TEST_P(FollowerTest, a_gap_is_filled_anew) {
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

TEST_P(FollowerTest, any_word_shows_that_the_federation_lives) {
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

TEST_P(FollowerTest, a_goodbye_says_when_to_come_back) {
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

TEST_P(FollowerTest, what_comes_after_the_end_is_ignored) {
  open();
  close();
  hear_snapshot();
  EXPECT_EQ(subscriber_.changes, 0);
}

TEST_P(FollowerTest, a_set_that_shrinks_too_much_is_taken_when_it_is_approved) {
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
