#include "dnsd/federation/feed.h"

#include "common/convert/record_convert.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::SizeIs;

constexpr std::size_t kMostMessage = std::size_t{4} << 20;  // what gRPC takes

class FeedTest : public testing::Test {
 protected:
  Feed& feed() {
    federation_.feed().update();
    return federation_.feed();
  }
  std::vector<EncodedReply> delta(std::uint64_t from) {
    const auto parts = feed().delta(from, clock_.now());
    EXPECT_TRUE(parts) << "too long ago";
    return parts.value_or(std::vector<EncodedReply>{});
  }
  /// In steps that the catalog remembers.
  void report_many(int count) {
    for (int i = 0; i < count; i += kStep) {
      std::vector<model::Endpoint> endpoints;
      for (int k = i; k < std::min(count, i + kStep); ++k) {
        endpoints.push_back(catalog::endpoint("eu-1/n1", std::to_string(k)));
      }
      federation_.report(endpoints);
      feed();
    }
  }
  static constexpr int kStep = 5000;

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
  const v1::Batch batch = batch_of(delta(1).front());
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
  const v1::Batch all = batch_of(feed().snapshot(clock_.now()).front());
  for (const v1::Record& record : all.records()) types.push_back(record.type());
  EXPECT_THAT(types, ElementsAre("Node", "NodeStatus", "Endpoint", "Service", "VirtualDestination", "Cluster"));
  federation_.erase_cluster("eu-1");
  EXPECT_THAT(changed_since(feed().head() - 1), ElementsAre("-eu-1"));
  federation_.erase_destination("web");
  EXPECT_THAT(changed_since(feed().head() - 1), ElementsAre("-shop/web"));
}

TEST_F(FeedTest, subscribers_at_one_revision_share_the_encoding) {
  federation_.report(3);
  EXPECT_EQ(delta(0).front(), delta(0).front());
  clock_.advance(Feed::kSharedFor);
  const EncodedReply before = delta(0).front();
  federation_.withdraw({"eu-1/n1/0"});
  EXPECT_NE(delta(0).front(), before);
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
  EXPECT_FALSE(feed().delta(1, clock_.now()));
  federation_.report(1);
  const std::uint64_t before = feed().head();
  for (std::size_t gone = 0; gone <= Feed::kMostRemovals; gone += kStep) {
    std::vector<model::Endpoint> endpoints;
    std::vector<std::string> keys;
    for (int i = 0; i < kStep; ++i) {
      endpoints.push_back(catalog::endpoint("eu-1/n1", std::to_string(gone) + "-" + std::to_string(i)));
      keys.push_back(endpoints.back().key);
    }
    federation_.report(endpoints);
    feed();
    federation_.withdraw(keys);
    feed();
  }
  EXPECT_FALSE(feed().delta(before, clock_.now())) << "removals were forgotten";
  EXPECT_TRUE(feed().delta(feed().head() - 1, clock_.now()));
  EXPECT_THAT(keys_of(feed().snapshot(clock_.now())), ElementsAre("eu-1/n1/0", "shop/web"));
}

TEST_F(FeedTest, when_the_catalog_has_forgotten_its_changes_everything_is_compared_anew) {
  federation_.report(3);
  const std::uint64_t before = feed().head();
  auto endpoint = catalog::endpoint("eu-1/n1", "0");
  for (std::uint32_t i = 0; i < 11000; ++i) {  // more than the catalog's log
    endpoint.weight = 2 + i % 2;
    federation_.report({endpoint});
  }
  federation_.withdraw({"eu-1/n1/1"});
  EXPECT_FALSE(feed().delta(before, clock_.now()));
  EXPECT_THAT(keys_of(feed().snapshot(clock_.now())), ElementsAre("eu-1/n1/0", "eu-1/n1/2", "shop/web"));
  federation_.withdraw({"eu-1/n1/2"});
  EXPECT_THAT(changed_since(feed().head() - 1), ElementsAre("-eu-1/n1/2"));
}

TEST_F(FeedTest, only_buckets_that_differ_are_sent) {
  federation_.report(500);
  std::vector<std::uint64_t> held = feed().bucket_hashes();
  EXPECT_THAT(keys_of(feed().differing(feed().differences(held), clock_.now())), IsEmpty());
  federation_.withdraw({"eu-1/n1/7"});
  const std::uint32_t bucket = convert::bucket_of("Endpoint", "eu-1/n1/7", Feed::kBuckets);
  const auto parts = feed().differing(feed().differences(held), clock_.now());
  const v1::Batch batch = batch_of(parts.front());
  EXPECT_THAT(batch.buckets(), ElementsAre(bucket));
  for (const v1::Record& record : batch.records()) {
    EXPECT_EQ(convert::bucket_of(record.type(), record.key(), Feed::kBuckets), bucket);
  }
  EXPECT_THAT(keys_of(feed().differing(feed().differences({}), clock_.now())), SizeIs(feed().size()))
      << "who holds nothing";
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

void expect_good_parts(const std::vector<EncodedReply>& parts, v1::Batch::Kind kind) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    EXPECT_LT(parts[i]->size(), Feed::kPartBytes * 2);
    const v1::Batch batch = batch_of(parts[i]);
    EXPECT_EQ(batch.kind(), kind);
    EXPECT_EQ(batch.part(), i);
    EXPECT_EQ(batch.last(), i + 1 == parts.size());
  }
}

TEST_F(FeedTest, a_large_set_goes_in_parts_below_the_largest_message) {
  report_many(20000);
  const auto snapshot = feed().snapshot(clock_.now());
  EXPECT_GT(snapshot.size(), 1U);
  expect_good_parts(snapshot, v1::Batch::SNAPSHOT);
  expect_good_parts(delta(0), v1::Batch::DELTA);
  const auto buckets = feed().differing(feed().differences({}), clock_.now());
  expect_good_parts(buckets, v1::Batch::BUCKETS);
  EXPECT_THAT(batch_of(buckets[0]).buckets(), SizeIs(Feed::kBuckets));
  EXPECT_THAT(batch_of(buckets[1]).buckets(), IsEmpty()) << "the first part has them";
  static_assert(Feed::kPartBytes * 2 < kMostMessage);
}

// Guards the largest message: a record is more than its body.
TEST_F(FeedTest, records_with_small_bodies_go_in_parts_too) {
  constexpr int kNodes = 60000;
  for (int i = 0; i < kNodes; ++i) {
    federation_.catalog.set_status("eu-1/" + std::string(40, 'n') + std::to_string(i), {true, false, clock_.now()},
                                   clock_.now());
    if (i % 5000 == 0) feed();  // before the catalog forgets
  }
  expect_good_parts(feed().snapshot(clock_.now()), v1::Batch::SNAPSHOT);
  EXPECT_THAT(keys_of(feed().snapshot(clock_.now())), SizeIs(kNodes));
}

}  // namespace
}  // namespace meshdns::federation
