// A mirror and the parts and blocks of sets: what breaks off, and what is kept over restarts.
#include "tests/unit/dnsd/federation/mirror_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class MirrorPartsTest : public MirrorTest {};
INSTANTIATE_TEST_SUITE_P(Parts, MirrorPartsTest, testing::Values(kOnePart, 1), part_size_name);

// ---- a stream that breaks in the middle of a batch ----

TEST_P(MirrorPartsTest, a_fill_that_breaks_off_holds_nothing_and_the_next_set_replaces_it) {
  v1::Batch cut = snapshot_of(4, 7);
  add(cut, "Service", "shop/app-b", convert::service_body({"shop", "app-b"}));
  break_off(cut, 3);
  EXPECT_THAT(keys(), SizeIs(2)) << "what came is in the catalog already";
  EXPECT_TRUE(mirror().empty());
  EXPECT_EQ(mirror().position(false).epoch(), 0U);
  EXPECT_EQ(subscriber_.catalog.revision(), 0U);
  v1::Batch next = snapshot(3);
  next.mutable_origin()->set_instance("b");
  add_endpoint(next, "1", 9);
  add_endpoint(next, "5");
  EXPECT_EQ(apply(next), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/1", "eu-1/n1/5"));
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/1").weight, 9U);
  EXPECT_EQ(subscriber_.catalog.revision(), 3U);
  EXPECT_EQ(mirror().origin().instance(), "b");
}

TEST_P(MirrorPartsTest, what_a_broken_fill_left_is_nobodys_word) {
  break_off(snapshot_of(40, 7), 10);
  v1::Batch next = batch(v1::Batch::BUCKETS, 0, 3);
  next.set_additive(true);
  add_endpoint(next, "1", 9);
  next.mutable_records(0)->set_provisional(true);
  EXPECT_EQ(apply(next), "taken") << "there is no guard: nothing is held";
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/1"));
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/1").weight, 9U);
}

// Guards against a service that stays for ever: an endpoint brought it, and its own record never came.
TEST_P(MirrorPartsTest, a_broken_fill_leaves_no_service) {
  v1::Batch cut = snapshot_of(3, 7);
  add(cut, "Service", "shop/web", convert::service_body({"shop", "web"}));
  break_off(cut, 2);
  EXPECT_THAT(subscriber_.catalog.records().services, SizeIs(1));
  EXPECT_EQ(apply(snapshot(3)), "taken");
  EXPECT_THAT(subscriber_.catalog.records().services, SizeIs(0));
}

TEST_P(MirrorPartsTest, a_set_that_breaks_off_changes_nothing) {
  apply(snapshot_of(4, 7));
  const auto sums = mirror().position(true).SerializeAsString();
  v1::Batch next = snapshot(9);
  for (int i = 2; i < 7; ++i) add_endpoint(next, std::to_string(i), 5);
  break_off(next, 1);
  EXPECT_THAT(keys(), SizeIs(4));
  EXPECT_EQ(mirror().position(true).SerializeAsString(), sums);
  v1::Batch more = delta(7, 8);
  add_endpoint(more, "8");
  EXPECT_EQ(apply(more), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/0", "eu-1/n1/1", "eu-1/n1/2", "eu-1/n1/3", "eu-1/n1/8"));
  EXPECT_EQ(apply(next), "taken");
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/2", "eu-1/n1/3", "eu-1/n1/4", "eu-1/n1/5", "eu-1/n1/6"));
}

TEST_P(MirrorPartsTest, a_part_that_is_missing_ends_the_batch) {
  auto parts = parts_of(snapshot_of(3, 7), 1);
  EXPECT_TRUE(mirror().apply(parts[0], clock_.now()));
  EXPECT_FALSE(mirror().apply(parts[2], clock_.now()));
  EXPECT_FALSE(mirror().apply(parts[1], clock_.now())) << "its first part does not count any more";
  EXPECT_TRUE(mirror().empty());
}

TEST_P(MirrorPartsTest, a_set_changes_only_what_differs) {
  apply(snapshot_of(5, 7));
  v1::Batch next = snapshot_of(4, 9);
  add_endpoint(next, "4", 3);
  next.mutable_records(2)->mutable_in_state()->set_seconds(5);
  EXPECT_EQ(apply(next), "taken");
  std::vector<std::string> changed;
  const auto changes = subscriber_.catalog.changes_since(7);
  ASSERT_TRUE(changes);
  for (const catalog::Change& change : *changes) changed.push_back(change.key);
  EXPECT_THAT(changed, ElementsAre("eu-1/n1/2", "eu-1/n1/4"));
  EXPECT_EQ(subscriber_.catalog.records().endpoints.at("eu-1/n1/2").health.since, clock_.now() - 5s);
}

// ---- what is kept over restarts ----

TEST_P(MirrorPartsTest, a_snapshot_of_its_own_restores_it) {
  Federation federation(clock_);
  federation.catalog.put_node(catalog::node(), clock_.now());
  federation.catalog.set_status("eu-1/n1", {true, false, clock_.now() - 5s}, clock_.now());
  federation.report(3);
  federation.put_destination("web", 80);
  federation.feed().update();
  apply(reply_of(federation.feed().snapshot(clock_.now()), clock_.now()).batch());
  clock_.advance(10s);
  const v1::Batch kept = kept_of(mirror(), clock_.now());
  Subscriber restarted(clock_);
  clock_.advance(1h);
  ASSERT_TRUE(restarted.mirror.apply(kept, clock_.now() - 1h));
  expect_follows(federation, restarted);
  EXPECT_EQ(restarted.objects, subscriber_.objects);
  EXPECT_EQ(restarted.catalog.records().statuses, federation.catalog.records().statuses) << "since when, too";
}

TEST_P(MirrorPartsTest, blocks_of_any_size_are_the_same_snapshot) {
  Federation federation(clock_);
  federation.catalog.put_node(catalog::node(), clock_.now());
  federation.report(5);
  federation.put_destination("web", 80);
  federation.put_cluster("eu-1", "eu");
  federation.feed().update();
  apply(reply_of(federation.feed().snapshot(clock_.now()), clock_.now()).batch());
  const v1::Batch whole = kept_of(mirror(), clock_.now());
  EXPECT_THAT(whole.records(), SizeIs(static_cast<int>(federation.feed().size())));
  for (const std::size_t lines : {1U, 2U, 3U, 9U}) {
    EXPECT_EQ(kept_of(mirror(), clock_.now(), lines).SerializeAsString(), whole.SerializeAsString()) << lines;
  }
}

// The argument of SnapshotKeeper: records may be newer than the revision of the snapshot that they are in.
TEST_P(MirrorPartsTest, a_snapshot_that_is_written_beside_changes_resumes_by_the_delta) {
  Federation federation(clock_);
  federation.catalog.put_node(catalog::node(), clock_.now());
  federation.report(6);
  federation.put_destination("web", 80);
  federation.feed().update();
  apply(reply_of(federation.feed().snapshot(clock_.now()), clock_.now()).batch());
  const std::uint64_t begun = mirror().revision();
  const auto blocks = mirror().blocks(clock_.now(), 1);
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += blocks().value();  // the node, its service's endpoints 0 to 2
  federation.withdraw({"eu-1/n1/1", "eu-1/n1/4"});
  auto changed = catalog::endpoint("eu-1/n1", "5");
  changed.weight = 9;
  auto changed_before = catalog::endpoint("eu-1/n1", "0");
  changed_before.weight = 9;
  federation.report({changed, changed_before, catalog::endpoint("eu-1/n1", "00"), catalog::endpoint("eu-1/n1", "9")});
  federation.erase_destination("web");
  federation.feed().update();
  const v1::Batch since = reply_of(federation.feed().delta(begun, clock_.now()), clock_.now()).batch();
  EXPECT_EQ(apply(since), "taken");
  while (const auto block = blocks()) bytes += *block;
  v1::Batch kept;
  ASSERT_TRUE(kept.ParseFromString(bytes));
  EXPECT_EQ(kept.to(), begun);
  Subscriber restarted(clock_);
  ASSERT_TRUE(restarted.mirror.apply(kept, clock_.now()));
  ASSERT_TRUE(restarted.mirror.apply(since, clock_.now()));
  expect_follows(federation, restarted);
  EXPECT_EQ(restarted.objects, subscriber_.objects);
}

TEST_P(MirrorPartsTest, tells_apart_what_follows_on_nothing) {
  apply(snapshot_of(3, 7));
  const auto sets = mirror().sets();
  apply(delta(7, 8));
  EXPECT_EQ(mirror().sets(), sets);
  apply(snapshot_of(3, 9));
  EXPECT_NE(mirror().sets(), sets);
}

}  // namespace
}  // namespace meshdns::federation
