#include "dnsd/federation/feed.h"

#include "common/convert/record_convert.h"
#include "common/model/limits.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class FeedTest : public testing::Test {
 protected:
  FeedTest() { federation_.catalog = catalog::Catalog(); }  // one that remembers: the test of a short log is below

  Feed& feed() {
    federation_.feed().update();
    return federation_.feed();
  }
  std::vector<EncodedReply> delta(std::uint64_t from) {
    if (!feed().reaches_back_to(from)) {
      ADD_FAILURE() << "too long ago";
      return {};
    }
    return parts_of(feed().delta(from, clock_.now()), clock_.now());
  }
  std::vector<EncodedReply> snapshot() { return parts_of(feed().snapshot(clock_.now()), clock_.now()); }
  std::vector<EncodedReply> differing(const std::vector<std::uint64_t>& held) {
    return parts_of(feed().differing(feed().differences(held)), clock_.now());
  }

  std::vector<std::string> changed_since(std::uint64_t from) { return keys_of(delta(from)); }

  SimClock clock_;
  Federation federation_{clock_};
};

TEST_F(FeedTest, a_delta_has_what_changed_and_only_its_last_version) {
  federation_.report(2);
  EXPECT_THAT(changed_since(0), ElementsAre("eu-1/n1/0", "eu-1/n1/1", "shop/web"));
  auto endpoint = catalog::endpoint("eu-1/n1", "0");
  for (const std::uint32_t weight : {2U, 3U}) {
    endpoint.weight = weight;
    federation_.report({endpoint});
  }
  EXPECT_THAT(changed_since(1), ElementsAre("eu-1/n1/0"));
  const v1::Batch batch = whole_of(delta(1));
  EXPECT_EQ(batch.from(), 1U);
  EXPECT_EQ(batch.to(), 3U);
  EXPECT_TRUE(batch.last());
  EXPECT_EQ(batch.records(0).revision(), 3U);
  EXPECT_EQ(batch.records(0).body(), convert::endpoint_body(endpoint));
}

TEST_F(FeedTest, what_is_gone_is_told_as_gone) {
  federation_.report(2);
  federation_.withdraw({"eu-1/n1/1"});
  EXPECT_THAT(changed_since(1), ElementsAre("-eu-1/n1/1"));
  EXPECT_THAT(changed_since(0), ElementsAre("eu-1/n1/0", "shop/web", "-eu-1/n1/1"));
  EXPECT_EQ(feed().size(), 2U);
  federation_.report(2);
  EXPECT_THAT(changed_since(1), ElementsAre("eu-1/n1/1")) << "it is back";
}

TEST_F(FeedTest, every_kind_of_record_is_told) {
  federation_.catalog.put_node(catalog::node(), clock_.now());
  federation_.catalog.set_status("eu-1/n1", {true, false, clock_.now()}, clock_.now());
  federation_.report(1);
  federation_.put_destination("web", 80);
  federation_.put_cluster("eu-1", "eu");
  std::vector<std::string> types;
  const v1::Batch all = whole_of(snapshot());
  for (const v1::Record& record : all.records()) types.push_back(record.type());
  EXPECT_THAT(types, ElementsAre("Node", "NodeStatus", "Endpoint", "Service", "VirtualDestination", "Cluster"));
  federation_.erase_cluster("eu-1");
  EXPECT_THAT(changed_since(feed().head() - 1), ElementsAre("-eu-1"));
  federation_.erase_destination("web");
  EXPECT_THAT(changed_since(feed().head() - 1), ElementsAre("-shop/web"));
}

TEST_F(FeedTest, subscribers_at_one_revision_share_the_encoding) {
  federation_.report(3);
  const auto transfer = feed().delta(0, clock_.now());
  EXPECT_EQ(feed().delta(0, clock_.now()), transfer);
  EXPECT_EQ(parts_of(transfer, clock_.now()), parts_of(transfer, clock_.now()));
  federation_.withdraw({"eu-1/n1/0"});
  EXPECT_NE(feed().delta(0, clock_.now()), transfer);
}

// Guards what an agent's "failing for 3 h" becomes: a delta that is kept says how long it was so when it was encoded.
TEST_F(FeedTest, a_delta_says_how_long_states_have_lasted_when_it_is_asked_for) {
  auto endpoint = catalog::endpoint();
  endpoint.health.since = clock_.now();
  federation_.report({endpoint});
  EXPECT_EQ(batch_of(delta(0).front()).records(0).in_state().seconds(), 0);
  clock_.advance(3h);
  EXPECT_EQ(batch_of(delta(0).front()).records(0).in_state().seconds(), 3 * 3600);
}

TEST_F(FeedTest, who_is_ahead_or_missed_too_many_removals_gets_no_delta) {
  Federation federation(clock_, 1, {.part_bytes = 1, .removals = 3});
  Feed& feed = federation.feed();
  const auto report_and_withdraw = [&](const std::string& name) {
    federation.report({catalog::endpoint("eu-1/n1", name)});
    federation.withdraw({"eu-1/n1/" + name});
    feed.update();
  };
  EXPECT_FALSE(feed.reaches_back_to(1)) << "it is ahead";
  federation.report(1);
  feed.update();
  const std::uint64_t before = feed.head();
  for (const char* name : {"a", "b", "c"}) report_and_withdraw(name);
  EXPECT_TRUE(feed.reaches_back_to(before));
  EXPECT_THAT(keys_of(parts_of(feed.delta(before, clock_.now()), clock_.now())),
              ElementsAre("-eu-1/n1/a", "-eu-1/n1/b", "-eu-1/n1/c"));
  // one that comes and goes again is one removal
  for (int i = 0; i < 5; ++i) report_and_withdraw("c");
  EXPECT_TRUE(feed.reaches_back_to(before));
  report_and_withdraw("d");
  EXPECT_FALSE(feed.reaches_back_to(before)) << "a removal was forgotten";
  EXPECT_TRUE(feed.reaches_back_to(feed.head() - 1));
  EXPECT_THAT(keys_of(parts_of(feed.snapshot(clock_.now()), clock_.now())), ElementsAre("eu-1/n1/0", "shop/web"));
}

// Guards a subscriber that was filled again and again because the log had run out meanwhile.
TEST_F(FeedTest, when_the_catalog_has_forgotten_its_changes_only_what_differs_counts_as_changed) {
  Federation federation(clock_);
  federation.catalog = catalog::Catalog(2);
  Feed& feed = federation.feed();
  federation.report(4);
  feed.update();
  const std::uint64_t before = feed.head();
  auto endpoint = catalog::endpoint("eu-1/n1", "0");
  for (std::uint32_t i = 0; i < 9; ++i) {
    endpoint.weight = 2 + i % 2;
    federation.report({endpoint});
  }
  federation.withdraw({"eu-1/n1/1"});
  federation.report(
      {catalog::endpoint("eu-1/n1", "9"), catalog::endpoint("eu-1/n1", "8"), catalog::endpoint("eu-1/n1", "7")});
  feed.update();
  ASSERT_TRUE(feed.reaches_back_to(before));
  EXPECT_THAT(keys_of(parts_of(feed.delta(before, clock_.now()), clock_.now())),
              testing::UnorderedElementsAre("eu-1/n1/0", "-eu-1/n1/1", "eu-1/n1/7", "eu-1/n1/8", "eu-1/n1/9"));
  EXPECT_THAT(keys_of(parts_of(feed.snapshot(clock_.now()), clock_.now())), SizeIs(7));
}

TEST_F(FeedTest, only_buckets_that_differ_are_sent) {
  federation_.report(500);
  std::vector<std::uint64_t> held = feed().bucket_hashes();
  EXPECT_THAT(keys_of(differing(held)), IsEmpty());
  federation_.withdraw({"eu-1/n1/7"});
  const std::uint32_t bucket = convert::bucket_of("Endpoint", "eu-1/n1/7", Feed::kBuckets);
  const auto parts = differing(held);
  const v1::Batch batch = whole_of(parts);
  EXPECT_THAT(batch.buckets(), ElementsAre(bucket));
  for (const v1::Record& record : batch.records()) {
    EXPECT_EQ(convert::bucket_of(record.type(), record.key(), Feed::kBuckets), bucket);
  }
  EXPECT_THAT(keys_of(differing({})), SizeIs(feed().size())) << "who holds nothing";
}

TEST_F(FeedTest, hashes_depend_on_what_there_is_and_not_on_how_it_came) {
  federation_.report(100);
  Federation other{clock_, 2};
  for (int i = 99; i >= 0; --i) other.report({catalog::endpoint("eu-1/n1", std::to_string(i))});
  other.report({catalog::endpoint("eu-1/n1", "100")});
  other.withdraw({"eu-1/n1/100"});
  other.feed().update();
  EXPECT_EQ(feed().bucket_hashes(), other.feed().bucket_hashes());
}

// ---- parts ----

/// Parts of one kind, numbered; none is larger than the limit unless it has one record only.
void expect_good_parts(const std::vector<EncodedReply>& parts, v1::Batch::Kind kind, std::size_t most) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const v1::Batch batch = batch_of(parts[i]);
    std::size_t bytes = 0;
    for (const v1::Record& record : batch.records()) bytes += record.ByteSizeLong();
    for (const v1::Removal& removal : batch.removals()) bytes += removal.ByteSizeLong();
    EXPECT_TRUE(bytes <= most || batch.records_size() + batch.removals_size() == 1);
    EXPECT_EQ(batch.kind(), kind);
    EXPECT_EQ(batch.part(), i);
    EXPECT_EQ(batch.last(), i + 1 == parts.size());
  }
}

class FeedPartsTest : public testing::TestWithParam<std::size_t> {
 protected:
  std::vector<EncodedReply> parts(const std::shared_ptr<Transfer>& transfer) {
    return parts_of(transfer, clock_.now());
  }

  SimClock clock_;
  Recovery recovery_{Recovery::Store::Kept, clock_.now()};
  Federation federation_{clock_, 1, {.part_bytes = GetParam()}};
  Feed& feed_ = federation_.feed();
};

INSTANTIATE_TEST_SUITE_P(Sizes, FeedPartsTest, testing::Values(1, 60, 200, 1000, std::size_t{1} << 20));

TEST_P(FeedPartsTest, every_kind_of_batch_is_whole_in_parts_of_any_size) {
  federation_.report(30);
  feed_.update();
  federation_.withdraw({"eu-1/n1/7", "eu-1/n1/8"});
  feed_.update();
  const auto snapshot = parts(feed_.snapshot(clock_.now()));
  expect_good_parts(snapshot, v1::Batch::SNAPSHOT, GetParam());
  EXPECT_THAT(keys_of(snapshot), SizeIs(29));
  const auto delta = parts(feed_.delta(0, clock_.now()));
  expect_good_parts(delta, v1::Batch::DELTA, GetParam());
  EXPECT_THAT(keys_of(delta), SizeIs(31));
  const auto buckets = parts(feed_.differing(feed_.differences({})));
  expect_good_parts(buckets, v1::Batch::BUCKETS, GetParam());
  EXPECT_EQ(keys_of(buckets), keys_of(snapshot));
  EXPECT_THAT(batch_of(buckets[0]).buckets(), SizeIs(Feed::kBuckets));
  if (buckets.size() > 1) {
    EXPECT_THAT(batch_of(buckets[1]).buckets(), IsEmpty()) << "the first part has them";
  }
}

// Guards replicas that stopped following for ever: one record of 4 MB made a part that no gRPC message can hold.
TEST_F(FeedTest, the_largest_records_there_may_be_fit_into_messages) {
  for (int i = 0; i < 6; ++i) {
    federation_.put_destination("o" + std::to_string(i), 80, std::string(model::kMostRecordBytes - 1000, 'x'));
  }
  federation_.report(30);
  constexpr std::size_t kMostMessage = std::size_t{4} << 20;  // as both ends of the stream set it
  std::size_t objects = 0;
  const auto parts = snapshot();
  expect_good_parts(parts, v1::Batch::SNAPSHOT, std::size_t{1} << 20);
  for (const EncodedReply& part : parts) {
    EXPECT_LT(part->size(), kMostMessage);
    const v1::Batch batch = batch_of(part);
    for (const v1::Record& record : batch.records()) objects += record.body().size() > 900'000 ? 1 : 0;
  }
  EXPECT_EQ(objects, 6U);
}

// Guards the crash loop at restart: what is provisional said so in the batch after the part that held it.
TEST_P(FeedPartsTest, provisional_records_say_so_in_every_part) {
  federation_.catalog.put_node(catalog::node(), clock_.now());
  federation_.report(30);
  recovery_.restored("eu-1/n1");
  federation_.begin(2, "a", &recovery_);
  Feed& feed = federation_.feed();
  for (const auto& set : {parts(feed.snapshot(clock_.now())), parts(feed.differing(feed.differences({})))}) {
    expect_good_parts(set, v1::Batch::BUCKETS, GetParam());
    const v1::Batch whole = whole_of(set);
    EXPECT_TRUE(whole.additive());
    EXPECT_EQ(whole.records_size(), 32);
    for (const v1::Record& record : whole.records()) EXPECT_EQ(record.provisional(), record.type() != "Service");
  }
}

TEST_P(FeedPartsTest, what_changes_while_a_set_is_read_is_told_by_the_delta_from_its_revision) {
  federation_.report(30);
  feed_.update();
  Transfer::Reader reader(feed_.snapshot(clock_.now()));
  const std::uint64_t to = reader.transfer().to();
  std::vector<EncodedReply> parts{reader.next(clock_.now())};
  auto endpoint = catalog::endpoint("eu-1/n1", "0");
  endpoint.weight = 9;
  federation_.report({endpoint, catalog::endpoint("eu-1/n1", "00"), catalog::endpoint("eu-1/n1", "99")});
  federation_.withdraw({"eu-1/n1/9"});
  feed_.update();
  while (!reader.done()) parts.push_back(reader.next(clock_.now()));
  Subscriber subscriber(clock_);
  for (const EncodedReply& part : parts) ASSERT_TRUE(subscriber.mirror.apply(batch_of(part), clock_.now()));
  EXPECT_EQ(subscriber.mirror.revision(), to);
  for (const EncodedReply& part : this->parts(feed_.delta(to, clock_.now()))) {
    ASSERT_TRUE(subscriber.mirror.apply(batch_of(part), clock_.now()));
  }
  expect_follows(federation_, subscriber);
}

// Guards a replica that was told of a change, and not of the one that took it back, because the catalog had forgotten
// both.
TEST_P(FeedPartsTest, what_was_told_is_taken_back_even_if_the_log_is_too_short) {
  federation_.catalog = catalog::Catalog(1);
  federation_.report(5);
  feed_.update();
  Transfer::Reader reader(feed_.snapshot(clock_.now()));
  auto endpoint = catalog::endpoint("eu-1/n1", "4");
  endpoint.weight = 9;
  federation_.report({endpoint});
  Subscriber subscriber(clock_);
  while (!reader.done()) ASSERT_TRUE(subscriber.mirror.apply(batch_of(reader.next(clock_.now())), clock_.now()));
  federation_.report(9);  // the weight is 1 again, and more changes than the log takes
  feed_.update();
  for (const EncodedReply& part : parts(feed_.delta(subscriber.mirror.revision(), clock_.now()))) {
    ASSERT_TRUE(subscriber.mirror.apply(batch_of(part), clock_.now()));
  }
  expect_follows(federation_, subscriber);
}

TEST_P(FeedPartsTest, a_snapshot_file_in_blocks_is_one_batch) {
  federation_.report(10);
  feed_.update();
  v1::Batch whole;
  const auto next = feed_.blocks(clock_.now(), 3);
  int blocks = 0;
  while (const auto block = next()) {
    ASSERT_TRUE(whole.MergeFromString(*block));
    ++blocks;
  }
  EXPECT_EQ(blocks, 4);
  EXPECT_EQ(whole.records_size(), 11);
  EXPECT_EQ(whole.to(), feed_.head());
  EXPECT_TRUE(whole.last());
}

// ---- sharing ----

TEST_F(FeedTest, readers_share_parts_and_a_part_that_all_have_taken_is_dropped) {
  Federation federation(clock_, 1, {.part_bytes = 1});
  federation.report(9);
  federation.feed().update();
  const auto transfer = federation.feed().snapshot(clock_.now());
  EXPECT_EQ(federation.feed().snapshot(clock_.now()), transfer) << "who comes at the same moment joins";
  Transfer::Reader fast(transfer);
  {
    Transfer::Reader slow(transfer);
    EXPECT_EQ(fast.next(clock_.now()), slow.next(clock_.now()));
    for (int i = 0; i < 5; ++i) fast.next(clock_.now());
    EXPECT_EQ(transfer->held_parts(), 6U) << "another one may join";
    clock_.advance(Feed::kSharedFor + 1ns);
    EXPECT_NE(federation.feed().snapshot(clock_.now()), transfer);
    fast.next(clock_.now());
    EXPECT_EQ(transfer->held_parts(), 6U) << "the first one was taken by both, the others by one";
    slow.next(clock_.now());
    EXPECT_EQ(transfer->held_parts(), 5U);
  }
  EXPECT_EQ(transfer->held_parts(), 0U) << "the slow one is gone";
  while (!fast.done()) EXPECT_NE(fast.next(clock_.now()), nullptr);
  EXPECT_EQ(transfer->held_parts(), 0U);
}

}  // namespace
}  // namespace meshdns::federation
