// In which order hosts are published: removals first, nothing starves, nothing is lost.
#include "dnsd/topology/publication_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/base/random_seed.h"

namespace meshdns::topology {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Names = std::vector<std::string>;

constexpr Duration kHostCost = 16ms;

class PublicationQueueTest : public testing::Test {
 protected:
  /// One publication of so many hosts of the usual size.
  Names take(int hosts = 1) { return take_within(hosts * kHostCost).hosts; }
  PublicationQueue::Taken take_within(Duration most) {
    return queue_.take(now_, {.most = most, .most_for_steps = most}, [&](const std::string& host) {
      const auto own = costs_.find(host);
      return own == costs_.end() ? kHostCost : own->second;
    });
  }
  void add(const Names& hosts, Urgency urgency) {
    for (const std::string& host : hosts) queue_.add(host, urgency);
  }
  void add_many(const std::string& prefix, int count, Urgency urgency) {
    for (int i = 0; i < count; ++i) queue_.add(prefix + std::to_string(i), urgency);
  }

  TimePoint now_{1h};
  PublicationQueue queue_;
  std::map<std::string, Duration> costs_;
};

TEST_F(PublicationQueueTest, RemovalsThenAdditionsThenSteps) {
  queue_.set_due("s1", now_);
  add({"a1", "a2"}, Urgency::Addition);
  add({"r1"}, Urgency::Removal);
  EXPECT_THAT(take_within(Duration::max()).hosts, ElementsAre("r1", "a1", "a2", "s1"));
}

TEST_F(PublicationQueueTest, EachLineIsInTheOrderInWhichHostsCame) {
  add({"b", "c", "a"}, Urgency::Addition);
  EXPECT_THAT(take(2), ElementsAre("b", "c"));
  EXPECT_THAT(take(2), ElementsAre("a"));
  EXPECT_THAT(take(2), IsEmpty());
}

TEST_F(PublicationQueueTest, AHostThatChangesAgainKeepsItsPlace) {
  add({"a", "b"}, Urgency::Addition);
  for (int i = 0; i < 100; ++i) add({"b", "a"}, Urgency::Addition);
  EXPECT_THAT(take(), ElementsAre("a"));
  EXPECT_THAT(take(), ElementsAre("b"));
}

TEST_F(PublicationQueueTest, AMoreUrgentChangeMovesAHostAndALessUrgentOneDoesNot) {
  add({"a", "b"}, Urgency::Addition);
  add({"b"}, Urgency::Removal);
  add({"b"}, Urgency::Addition);
  EXPECT_EQ(queue_.waiting(Urgency::Removal), 1U);
  EXPECT_EQ(queue_.waiting(Urgency::Addition), 1U);
  EXPECT_EQ(take().front(), "b");
}

TEST_F(PublicationQueueTest, ARemovalIsInTheNextPublicationHoweverMuchWaits) {
  add_many("a", 1000, Urgency::Addition);
  for (int i = 0; i < 1000; ++i) queue_.set_due("s" + std::to_string(i), now_);
  for (int round = 0; round < 50; ++round) {
    const std::string host = "r" + std::to_string(round);
    queue_.add(host, Urgency::Removal);
    ASSERT_EQ(take().front(), host);
  }
}

TEST_F(PublicationQueueTest, ARemovalMakesThePublicationShort) {
  add_many("a", 100, Urgency::Addition);
  EXPECT_EQ(take(8).size(), 8U);
  add({"r"}, Urgency::Removal);
  EXPECT_LE(take(8).size(), 1U + 8 / PublicationQueue::kAdditionShare);
}

TEST_F(PublicationQueueTest, NothingStarvesBesideASteadyStreamOfRemovals) {
  add_many("a", 10, Urgency::Addition);
  queue_.set_due("s", now_);
  bool step = false;
  for (int round = 0; round < 40; ++round) {
    add_many("r" + std::to_string(round) + "-", 3, Urgency::Removal);
    for (const std::string& host : take()) {
      if (host == "s") queue_.set_due("s", std::nullopt);
      step = step || host == "s";
    }
  }
  EXPECT_EQ(queue_.waiting(Urgency::Addition), 0U);
  EXPECT_TRUE(step);
}

TEST_F(PublicationQueueTest, AStepIsInTheEndPublishedBesideASteadyStreamOfAdditions) {
  queue_.set_due("s", now_);
  for (int round = 0; round < 2 * PublicationQueue::kStepShare; ++round) {
    add_many("a" + std::to_string(round) + "-", 3, Urgency::Addition);
    if (const auto taken = take(); std::ranges::find(taken, "s") != taken.end()) return;
  }
  FAIL() << "the step was never published";
}

TEST_F(PublicationQueueTest, AHostLargerThanAPublicationGoesAlone) {
  costs_["large"] = 100 * kHostCost;
  add({"a", "large", "b"}, Urgency::Addition);
  EXPECT_THAT(take(4), ElementsAre("a"));
  EXPECT_THAT(take(4), ElementsAre("large"));
  EXPECT_THAT(take(4), ElementsAre("b"));
}

TEST_F(PublicationQueueTest, ALargeHostDoesNotStarveBesideRemovals) {
  costs_["large"] = 100 * kHostCost;
  add({"large"}, Urgency::Addition);
  for (int round = 0; round <= 100 * PublicationQueue::kAdditionShare; ++round) {
    queue_.add("r" + std::to_string(round), Urgency::Removal);
    if (take().back() == "large") return;
  }
  FAIL() << "it was never published";
}

TEST_F(PublicationQueueTest, ALateStepIsTakenOnceAndAnEarlyOneNotAtAll) {
  queue_.set_due("late", now_ - 10s);
  queue_.set_due("early", now_ + 1s);
  const auto taken = take_within(Duration::max());
  EXPECT_THAT(taken.hosts, ElementsAre("late"));
  EXPECT_THAT(taken.steps, ElementsAre("late"));
  queue_.set_due("late", std::nullopt);
  EXPECT_EQ(queue_.next_due(), now_ + 1s);
}

TEST_F(PublicationQueueTest, AHostThatChangesAndIsDueGoesOnceAndIsNoStep) {
  queue_.set_due("a", now_);
  queue_.set_due("b", now_ - 1s);
  add({"a", "x", "b"}, Urgency::Addition);
  const auto first = take_within(kHostCost);
  EXPECT_THAT(first.hosts, ElementsAre("a"));
  const auto all = take_within(Duration::max());
  EXPECT_THAT(all.hosts, ElementsAre("x", "b", "a"));
  EXPECT_THAT(all.steps, ElementsAre("a")) << "nobody has said yet when it is due next";
}

TEST_F(PublicationQueueTest, WhatCameBeforeANumberHasLeftWhenTheOldestIsGreater) {
  EXPECT_GT(queue_.oldest(), queue_.newest());
  add({"a", "b"}, Urgency::Addition);
  const std::uint64_t mark = queue_.newest();
  add({"c"}, Urgency::Addition);
  take();
  EXPECT_LE(queue_.oldest(), mark);
  take();
  EXPECT_GT(queue_.oldest(), mark);
  EXPECT_LE(queue_.oldest(), queue_.newest());
}

// Hosts change at random and are taken at random: each one leaves, within a bounded number of publications.
TEST_F(PublicationQueueTest, EveryHostLeavesInBoundedTime) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](int end) { return std::uniform_int_distribution(0, end - 1)(random); };
  constexpr int kHosts = 30;
  std::map<std::string, int> waits;
  for (int round = 0; round < 5000; ++round) {
    const std::string host = "h" + std::to_string(below(kHosts));
    queue_.add(host, below(2) == 0 ? Urgency::Removal : Urgency::Addition);
    waits.try_emplace(host, 0);
    for (const std::string& taken : take(1 + below(2))) waits.erase(taken);
    for (auto& [waiting, rounds] : waits) ASSERT_LE(++rounds, 4 * kHosts) << waiting;
  }
}

}  // namespace
}  // namespace meshdns::topology
