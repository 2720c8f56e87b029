#include "dnsd/federation/watch_session.h"

#include "common/model/limits.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class WatchSessionTest : public testing::Test {
 protected:
  /// A stream whose subscriber has said what it holds.
  Link& connect(Subscriber& subscriber) {
    return *links_.emplace_back(std::make_unique<Link>(federation_, subscriber));
  }
  Link& connect() { return connect(subscriber_); }
  void disconnect() { links_.clear(); }
  void changed() { federation_.watchers().changed(); }
  const WatchCounters& counters() { return federation_.watchers().counters(); }

  SimClock clock_;
  Federation federation_{clock_};
  Subscriber subscriber_{clock_};
  std::vector<std::unique_ptr<Link>> links_;
};

TEST_F(WatchSessionTest, who_holds_nothing_gets_everything_and_then_what_changes) {
  federation_.report(2);
  Link& link = connect();
  link.carry();
  federation_.report(3);
  changed();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("snapshot", "delta 1..2"));
  clock_.advance(Follower::AckPace{}.interval);  // the second acknowledgement is not at once
  link.carry();
  EXPECT_EQ(link.session().acked(), 2U);
  EXPECT_EQ(counters().snapshots, 1U);
  EXPECT_EQ(counters().deltas, 1U);
  std::size_t bytes = 0;
  for (const EncodedReply& part : link.encodings) bytes += part->size();
  EXPECT_EQ(counters().sent_bytes, bytes);
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, a_subscriber_has_a_name_and_a_lag) {
  subscriber_.follower.set_name("us-1/host");
  federation_.report(2);
  Link& link = connect();
  std::vector<std::string> names;
  const auto learn = [&](const WatchSession& session) {
    names.push_back(session.name());
    return true;
  };
  link.carry();
  federation_.watchers().each_subscriber(learn);
  EXPECT_THAT(names, ElementsAre("us-1/host"));
  EXPECT_EQ(link.session().revisions_behind(), 0U);
  federation_.report(5);
  changed();
  clock_.advance(100ms);
  EXPECT_GT(link.session().revisions_behind(), 0U);
  // the round may have been planned; of parts that are written one by one the last has not gone yet
  EXPECT_GE(link.session().lag(), test::size_or_smallest<Duration>(50ms, 0ms));
  link.carry();
  clock_.advance(Follower::AckPace{}.interval);
  link.carry();
  EXPECT_EQ(link.session().revisions_behind(), 0U);
  EXPECT_EQ(link.session().lag(), 0ns);
}

TEST_F(WatchSessionTest, an_empty_federation_says_that_it_is_empty) {
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("snapshot"));
  EXPECT_EQ(subscriber_.changes, 1);
}

TEST_F(WatchSessionTest, who_comes_back_gets_only_what_it_missed) {
  federation_.report(20);
  connect().carry();
  disconnect();
  federation_.withdraw({"eu-1/n1/7"});
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("status", "delta 1..2"));
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, who_missed_nothing_is_told_so_at_once) {
  federation_.report(20);
  connect().carry();
  disconnect();
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("status"));
  EXPECT_EQ(subscriber_.changes, 1);
  EXPECT_EQ(subscriber_.words, 2);
}

TEST_F(WatchSessionTest, after_a_restart_only_buckets_that_differ_are_sent) {
  federation_.report(500);
  connect().carry();
  disconnect();
  federation_.withdraw({"eu-1/n1/7"});
  federation_.begin(2);
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.heard, SizeIs(1));
  EXPECT_THAT(link.heard[0].batch().buckets(), SizeIs(1));
  EXPECT_EQ(counters().bucket_updates, 1U);
  EXPECT_EQ(counters().snapshots, 0U);
  expect_follows(federation_, subscriber_);
}

// docs/failures.md A9
TEST_F(WatchSessionTest, a_restart_without_a_change_costs_next_to_nothing) {
  federation_.report(500);
  connect().carry();
  disconnect();
  std::size_t full = 0;
  for (const EncodedReply& part : parts_of(federation_.feed().snapshot(clock_.now()), clock_.now()))
    full += part->size();
  federation_.begin(2);
  Link& link = connect();
  link.carry();
  EXPECT_LT(counters().sent_bytes * 20, full);
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, another_instance_fills_its_subscribers) {
  federation_.report(30);
  connect().carry();
  disconnect();
  federation_.begin(1, "b");
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("snapshot"));
  EXPECT_EQ(subscriber_.mirror.origin().instance(), "b");
  expect_follows(federation_, subscriber_);
}

// A federation whose disk was restored counts from before; the subscriber is ahead of it.
TEST_F(WatchSessionTest, who_is_ahead_in_the_same_epoch_compares) {
  federation_.report(30);
  federation_.report(31);
  connect().carry();
  disconnect();
  federation_.catalog = Federation::empty_catalog();
  federation_.report(30);
  federation_.begin(1);
  Link& link = connect();
  link.carry();
  EXPECT_THAT(link.heard[0].batch().buckets(), SizeIs(1));
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, an_older_epoch_compares) {
  federation_.begin(9);
  federation_.report(30);
  connect().carry();
  disconnect();
  federation_.begin(8);
  connect().carry();
  EXPECT_EQ(subscriber_.mirror.epoch(), 8U);
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, subscribers_share_one_encoding) {
  federation_.report(3);
  Subscriber second{clock_};
  Link& one = connect();
  Link& two = connect(second);
  one.carry();
  two.carry();
  federation_.report(4);
  changed();
  one.carry();
  two.carry();
  EXPECT_THAT(one.story(), ElementsAre("snapshot", "delta 1..2"));
  EXPECT_EQ(one.encodings.back().get(), two.encodings.back().get());
  disconnect();  // before `second` goes
}

TEST_F(WatchSessionTest, what_changes_while_a_subscriber_is_slow_becomes_one_delta) {
  federation_.report(2);
  Link& link = connect();
  auto endpoint = catalog::endpoint("eu-1/n1", "0");
  for (const std::uint32_t weight : {2U, 3U, 4U}) {
    endpoint.weight = weight;
    federation_.report({endpoint});
    changed();  // the snapshot is still being written
  }
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("snapshot", "delta 1..4"));
  EXPECT_THAT(link.heard[1].batch().records(), SizeIs(1));
  expect_follows(federation_, subscriber_);
}

/// As many endpoints as a node may have, "eu-1/n1/0" to "eu-1/n1/9999", in more than a mebibyte.
std::vector<model::Endpoint> of_two_parts() {
  std::vector<model::Endpoint> out;
  for (std::size_t i = 0; i < model::kMostNodeEndpoints; ++i) {
    out.push_back(catalog::endpoint("eu-1/n1", std::to_string(i)));
    out.back().health.detail = std::string(100, 'd');
  }
  return out;
}

TEST_F(WatchSessionTest, a_change_between_the_parts_of_a_snapshot_comes_after_them) {
  federation_.report(of_two_parts());
  Link& link = connect();
  ASSERT_TRUE(link.carry_one());
  EXPECT_FALSE(link.heard[0].batch().last());
  EXPECT_EQ(subscriber_.changes, 0);
  federation_.withdraw({"eu-1/n1/0", "eu-1/n1/9999"});
  changed();
  link.carry();
  EXPECT_EQ(link.story().back(), "delta 1..2");
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, a_stream_that_ends_between_two_parts_changes_nothing) {
  federation_.report(3);
  connect().carry();
  disconnect();
  federation_.report(of_two_parts());
  federation_.begin(2);
  ASSERT_TRUE(connect().carry_one());
  EXPECT_THAT(subscriber_.keys(), SizeIs(3));
  disconnect();
  connect().carry();
  expect_follows(federation_, subscriber_);
}

TEST_F(WatchSessionTest, a_heartbeat_is_said_only_where_nothing_else_is) {
  Link& link = connect();
  federation_.watchers().heartbeat();  // the snapshot is on its way
  link.carry();
  federation_.watchers().heartbeat();
  link.carry();
  EXPECT_THAT(link.story(), ElementsAre("snapshot", "status"));
  const v1::Position head = link.heard[1].status().heads(0);
  EXPECT_EQ(head.origin().instance(), "a");
  EXPECT_EQ(head.epoch(), 1U);
}

TEST_F(WatchSessionTest, the_end_is_said_to_all_and_to_who_comes_later) {
  Link& early = connect();
  early.carry();
  federation_.watchers().shut_down();
  early.carry();
  Subscriber second{clock_};
  Link& late = connect(second);
  late.carry();
  EXPECT_THAT(early.story(), ElementsAre("snapshot", "goodbye"));
  EXPECT_THAT(late.story(), ElementsAre("goodbye"));
  EXPECT_EQ(subscriber_.follower.retry_after(), 1s);
  EXPECT_EQ(federation_.watchers().subscribers(), 2U);
  disconnect();
  EXPECT_EQ(federation_.watchers().subscribers(), 0U);
}

TEST_F(WatchSessionTest, a_second_subscribe_ends_the_stream) {
  auto port = std::make_shared<test::FakePort<EncodedReply>>();
  const auto session = federation_.watchers().open(port, "", identity::Caller::everybody());
  v1::WatchRequest request;
  request.mutable_subscribe();
  session->received(request);
  session->received(request);
  EXPECT_TRUE(port->closed);
  EXPECT_TRUE(decoded(port->sent.back()).has_goodbye());
  EXPECT_EQ(port->reads, 2) << "nothing more is read";
}

TEST_F(WatchSessionTest, who_has_not_subscribed_is_told_nothing) {
  auto port = std::make_shared<test::FakePort<EncodedReply>>();
  federation_.watchers().open(port, "", identity::Caller::everybody());
  federation_.report(1);
  changed();
  federation_.watchers().heartbeat();
  EXPECT_THAT(port->sent, IsEmpty());
}

TEST_F(WatchSessionTest, hashes_of_a_wrong_number_are_no_reason_to_compare) {
  auto port = std::make_shared<test::FakePort<EncodedReply>>();
  const auto session = federation_.watchers().open(port, "", identity::Caller::everybody());
  v1::WatchRequest request;
  v1::Position& held = *request.mutable_subscribe()->add_held();
  *held.mutable_origin() = federation_.feed().origin();
  held.set_epoch(7);
  held.add_buckets(1);
  session->received(request);
  EXPECT_EQ(batch_of(port->sent.back()).kind(), v1::Batch::SNAPSHOT);
}

TEST_F(WatchSessionTest, refused_records_are_counted) {
  Link& link = connect();
  link.carry();
  v1::WatchRequest request;
  request.mutable_ack()->add_nacks()->set_key("x");
  link.session().received(request);
  EXPECT_EQ(counters().nacks, 1U);
}

// ---- pace ----

TEST_F(WatchSessionTest, a_change_goes_out_at_once_and_the_next_ones_together) {
  federation_.report(1);
  Link& link = connect();
  link.carry();
  clock_.advance(1s);
  federation_.report(2);
  changed();
  while (link.carry_one()) continue;
  EXPECT_THAT(link.story(), ElementsAre("snapshot", "delta 1..2")) << "at once";
  for (const int count : {3, 4, 5}) {
    federation_.report(count);
    changed();
  }
  EXPECT_FALSE(link.carry_one()) << "within the pace";
  clock_.advance(Watchers::kPace);
  while (link.carry_one()) continue;
  EXPECT_THAT(link.story(), ElementsAre("snapshot", "delta 1..2", "delta 2..5"));
}

// Guards the control thread: a change that finds a round planned visits nobody.
TEST_F(WatchSessionTest, many_changes_are_one_round) {
  federation_.report(1);
  connect().carry();
  clock_.advance(1s);
  const auto deltas = counters().deltas;
  for (int i = 2; i < 100; ++i) {
    federation_.report(i);
    changed();
  }
  links_.front()->carry();
  EXPECT_LE(counters().deltas - deltas, 2U);
  expect_follows(federation_, subscriber_);
}

// Guards the catalog's log while timers come late because ten thousand agents report at once: without it the feed
// compared all records, again and again, and timers came later still.
TEST_F(WatchSessionTest, the_feed_keeps_up_with_the_log_though_no_timer_comes) {
  connect().carry();
  changed();
  for (int i = 1; i <= 1000; ++i) {
    federation_.report({catalog::endpoint("eu-1/n1", std::to_string(i))});
    changed();
    ASSERT_LT(federation_.feed().lag(), Watchers::kMostLag);
  }
}

}  // namespace
}  // namespace meshdns::federation
