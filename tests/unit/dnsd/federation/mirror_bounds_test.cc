// What a federation can make a replica hold with a batch that never ends, and how long it can send it away.
#include "tests/unit/dnsd/federation/mirror_fixture.h"

namespace meshdns::federation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class MirrorBoundsTest : public testing::Test {
 protected:
  /// The next part of a batch that never says that it is the last one.
  std::string next(v1::Batch batch) {
    batch.set_part(part_++);
    batch.set_last(false);
    const auto taken = mirror_.apply(batch, clock_.now());
    return taken ? "" : taken.error().message();
  }

  SimClock clock_;
  catalog::Catalog catalog_;
  Mirror mirror_{catalog_,
                 [](const std::string&, const v1::Object*) {},
                 {.pieces = 1000, .staged_bytes = 20000, .removal_bytes = 2000}};
  std::uint32_t part_ = 0;
};

TEST_F(MirrorBoundsTest, records_that_wait_for_the_last_part_are_bounded) {
  ASSERT_TRUE(mirror_.apply(snapshot_of(3), clock_.now()));
  std::string refused;
  for (int i = 0; i < 1000 && refused.empty(); ++i) {
    v1::Batch batch = snapshot(2);
    add_endpoint(batch, "new" + std::to_string(i));
    refused = next(batch);
  }
  EXPECT_THAT(refused, HasSubstr("more than 20000 bytes without a last part"));
  EXPECT_THAT(catalog_.records().endpoints, SizeIs(3)) << "nothing changed";
  part_ = 0;
  ASSERT_TRUE(mirror_.apply(snapshot_of(4, 2), clock_.now())) << "the next batch is taken";
  EXPECT_THAT(catalog_.records().endpoints, SizeIs(4));
}

TEST_F(MirrorBoundsTest, removals_and_pieces_are_bounded) {
  ASSERT_TRUE(mirror_.apply(snapshot_of(3), clock_.now()));
  std::string refused;
  for (int i = 0; i < 1000 && refused.empty(); ++i) {
    v1::Batch batch = delta(1, 2);
    add_removal(batch, "gone" + std::to_string(i));
    refused = next(batch);
  }
  EXPECT_THAT(refused, HasSubstr("removals of more than 2000 bytes"));
  part_ = 0;
  v1::Batch many = delta(1, 2);
  for (int i = 0; i < 1001; ++i) add_removal(many, "x");
  EXPECT_THAT(next(many), HasSubstr("more than 1000 records and removals"));
}

TEST_F(MirrorBoundsTest, refused_records_are_told_and_the_rest_counted) {
  v1::Batch batch = snapshot(1);
  for (int i = 0; i < 900; ++i) add(batch, "Endpoint", "eu-1/n1/" + std::to_string(i), "\xff");
  next(batch);
  Mirror large{catalog_, [](const std::string&, const v1::Object*) {}};
  for (int i = 900; i < 3000; ++i) add(batch, "Endpoint", "eu-1/n1/" + std::to_string(i), "\xff");
  const auto nacks = large.apply(batch, clock_.now());
  ASSERT_TRUE(nacks);
  ASSERT_THAT(*nacks, SizeIs(Mirror::kMostNacks + 1));
  EXPECT_EQ(nacks->back().reason(), "2000 more records were refused");
}

TEST_F(MirrorBoundsTest, a_batch_that_breaks_off_is_dropped_with_its_stream) {
  Subscriber subscriber(clock_);
  auto port = std::make_shared<test::FakePort<v1::WatchRequest>>();
  subscriber.follower.opened(port);
  const auto hear = [&](const v1::Batch& batch) {
    v1::WatchReply reply;
    *reply.mutable_batch() = batch;
    subscriber.follower.received(reply);
  };
  hear(snapshot_of(3));
  v1::Batch begun = snapshot(2);
  begun.set_last(false);
  add_endpoint(begun, "new");
  hear(begun);
  subscriber.follower.closed();
  v1::Batch rest = snapshot(2);
  rest.set_part(1);
  EXPECT_FALSE(subscriber.mirror.apply(rest, clock_.now())) << "its first part is gone";
}

struct Said {
  std::int64_t seconds;
  Duration counts;
};

TEST_F(MirrorBoundsTest, a_federation_cannot_send_a_replica_away_for_long) {
  Subscriber subscriber(clock_);
  for (const Said& said : {Said{1'000'000'000, 5min}, Said{-1'000'000'000, 0s}, Said{7, 7s}}) {
    subscriber.follower.opened(std::make_shared<test::FakePort<v1::WatchRequest>>());
    v1::WatchReply reply;
    reply.mutable_goodbye()->mutable_retry_after()->set_seconds(said.seconds);
    subscriber.follower.received(reply);
    EXPECT_EQ(subscriber.follower.retry_after(), said.counts) << said.seconds;
    subscriber.follower.closed();
  }
}

TEST_F(MirrorBoundsTest, a_state_of_a_hundred_years_or_of_the_future_is_neither) {
  for (const Said& said : {Said{100LL * 366 * 86400, 240h * 366}, Said{-100LL * 366 * 86400, 0s}}) {
    Subscriber subscriber(clock_);
    v1::Batch batch = snapshot_of(1);
    batch.mutable_records(0)->mutable_in_state()->set_seconds(said.seconds);
    ASSERT_TRUE(subscriber.mirror.apply(batch, clock_.now()));
    EXPECT_EQ(clock_.now() - subscriber.catalog.records().endpoints.begin()->second.health.since, said.counts);
  }
}

// The bound counted without a word.
TEST_F(MirrorBoundsTest, durations_out_of_bounds_are_counted_and_told_once_a_minute) {
  constexpr std::int64_t kCentury = 100LL * 366 * 86400;
  Subscriber subscriber(clock_);
  subscriber.follower.opened(std::make_shared<test::FakePort<v1::WatchRequest>>());
  std::uint64_t revision = 0;
  const auto hear = [&](std::int64_t in_state) {
    v1::WatchReply reply;
    *reply.mutable_batch() = snapshot_of(3, ++revision);
    for (auto& record : *reply.mutable_batch()->mutable_records()) record.mutable_in_state()->set_seconds(in_state);
    subscriber.follower.received(reply);
  };
  testing::internal::CaptureStderr();
  hear(10LL * 366 * 86400);
  EXPECT_EQ(subscriber.follower.clamped(), 0U) << "the bound itself is within bounds";
  hear(kCentury);
  const std::uint64_t each = subscriber.follower.clamped();
  EXPECT_GE(each, 3U);
  v1::WatchReply goodbye;
  goodbye.mutable_goodbye()->mutable_retry_after()->set_seconds(1'000'000'000);
  subscriber.follower.received(goodbye);
  EXPECT_EQ(subscriber.follower.clamped(), each + 1);
  for (int i = 0; i < 59; ++i) {
    hear(-kCentury);
    clock_.advance(1s);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  constexpr std::string_view kLine = "durations of the federation are out of bounds: the bounds count";
  const auto at = log.find(kLine);
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_EQ(log.find(kLine, at + 1), std::string::npos) << "once a minute: " << log;
  EXPECT_THAT(log, HasSubstr("values=" + std::to_string(each) + " field=in_state"));
  clock_.advance(1s);
  testing::internal::CaptureStderr();
  subscriber.follower.received(goodbye);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("values=1 field=retry_after"));
  EXPECT_EQ(subscriber.follower.clamped(), 60 * each + 2);
}

}  // namespace
}  // namespace meshdns::federation
