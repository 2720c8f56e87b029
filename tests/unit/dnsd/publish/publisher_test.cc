// Publication in slices, on a simulated clock: what goes first, what is whole, what a table says of itself.
#include "dnsd/publish/publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "common/time/sim_clock.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::publish {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The time of a simulated clock, for the compile thread too.
class SharedClock : public Clock {
 public:
  explicit SharedClock(TimePoint now) : now_(now) {}
  TimePoint now() const override { return now_; }
  std::int64_t unix_seconds() const override { return 1000; }
  void pass(Duration time) { now_ = now_.load() + time; }

 private:
  std::atomic<TimePoint> now_;
};

/// A publisher with room for one host in each publication.
class PublisherTest : public testing::Test {
 protected:
  PublisherTest() {
    settings_.zones.push_back({"mesh.internal", {}, ""});
    settings_.listeners.push_back({"10.0.9.1:53", {}});
    publisher_.observe([this](const Publication& publication) {
      published_.push_back(publication.put);
      places_ += publication.places ? 1 : 0;
    });
    put_node("eu-1/n1");
    put("eu-1/n1", "first");
    publisher_.configure(settings_, {});
    publisher_.flush();
    pass(1s);
    published_.clear();
    places_ = 0;
    before_ = publisher_.publications();
  }
  ~PublisherTest() override { publisher_.observe({}); }

  void put_node(const std::string& key) {
    model::Node node;
    node.key = key;
    node.locality.region = key.substr(0, 2);
    node.locality.cluster = key.substr(0, key.find('/'));
    node.locality.node = key.substr(key.find('/') + 1);
    node.prefixes = {Prefix::of(IpAddress::v4(0x0A000000 + (++nodes_ << 16)), 16)};
    EXPECT_FALSE(catalog_.put_node(node, clock_.now()));
  }
  void put(const std::string& node, const std::string& service,
           model::HealthState state = model::HealthState::Serving) {
    model::Endpoint endpoint;
    endpoint.key = node + "/" + service;
    endpoint.node = node;
    endpoint.namespace_ = "shop";
    endpoint.service = service;
    endpoint.addresses = {IpAddress::v4(0x0A000101)};
    endpoint.ports = {{"http", 8080, "TCP", ""}};
    endpoint.health.state = state;
    endpoint.health.since = clock_.now();
    EXPECT_TRUE(catalog_.apply_delta(node, {endpoint}, {}, clock_.now()).empty());
  }
  void put_many(int count) {
    for (int i = 0; i < count; ++i) put("eu-1/n1", "s" + std::to_string(i));
  }
  /// Waits for the table that is being made, if one is, and lets the publisher hear of it.
  void hear() {
    std::unique_lock lock(mutex_);
    while (publisher_.publications() < publications_begun()) {
      ASSERT_TRUE(posted_anything_.wait_for(lock, 60s, [this] { return !posted_.empty(); }));
      const auto work = std::move(posted_.front());
      posted_.pop_front();
      lock.unlock();
      work();
      lock.lock();
    }
  }
  /// requires: no table is being made
  void pass(Duration time) {
    clock_.pass(time);
    timers_.advance(time);
  }
  std::uint64_t publications_begun() const { return published_.size() + before_; }
  /// Time in which publications go on, one after the other.
  void live(Duration span) {
    for (Duration done{}; done < span; done += 10ms) {
      hear();
      pass(10ms);
    }
    hear();
  }
  static std::string host(const std::string& service) { return service + ".shop.mesh.internal"; }
  bool answers(const std::string& service) {
    const auto name = test::must(wire::parse_name(host(service)));
    return publisher_.with_table(
        [&](const answers::AnswerTable* table) { return table->find(name, wire::hash_name(name)).host != nullptr; });
  }
  std::uint64_t revision() {
    return publisher_.with_table([](const answers::AnswerTable* table) { return table->version.revision; });
  }
  std::uint32_t serial() {
    return publisher_.with_table([](const answers::AnswerTable* table) { return table->serial; });
  }

  SimClock timers_;
  SharedClock clock_{timers_.now()};
  catalog::Catalog catalog_;
  answers::AnswerSettings settings_;
  std::mutex mutex_;
  std::condition_variable posted_anything_;
  std::deque<std::function<void()>> posted_;
  std::vector<std::vector<std::string>> published_;  // hosts, by publication since the first
  int places_ = 0;
  std::uint64_t before_ = 0;  // publications until then
  unsigned nodes_ = 0;
  Publisher publisher_{catalog_,
                       clock_,
                       timers_,
                       [this](std::function<void()> work) {
                         const std::lock_guard lock(mutex_);
                         posted_.push_back(std::move(work));
                         posted_anything_.notify_all();
                       },
                       {.slice = 1ns, .places_pause = 250ms}};
};

TEST_F(PublisherTest, OneHostAfterTheOtherUntilAllAreThere) {
  put_many(5);
  publisher_.changed();
  live(1s);
  std::vector<std::string> all;
  for (const auto& hosts : published_) {
    EXPECT_LE(hosts.size(), 1U);
    all.insert(all.end(), hosts.begin(), hosts.end());
  }
  EXPECT_THAT(all, ElementsAre(host("s0"), host("s1"), host("s2"), host("s3"), host("s4")));
  EXPECT_EQ(publisher_.longest_wait(), Duration::zero());
}

TEST_F(PublisherTest, AFailureIsInTheNextPublicationHoweverManyHostsWait) {
  put_many(50);
  publisher_.changed();
  live(100ms);
  ASSERT_GT(publisher_.waiting(topology::Urgency::Addition), 20U);
  EXPECT_GT(publisher_.longest_wait(), Duration::zero());
  const std::size_t before = published_.size();
  put("eu-1/n1", "first", model::HealthState::Failing);
  publisher_.changed();
  EXPECT_EQ(publisher_.waiting(topology::Urgency::Removal), 1U);
  live(50ms);
  ASSERT_GT(published_.size(), before);
  EXPECT_EQ(published_[before].front(), host("first"));
}

TEST_F(PublisherTest, ATableIsOfTheRevisionOfWhichItHasEverything) {
  const std::uint64_t before = revision();
  const std::uint32_t serial_before = serial();
  put_many(3);
  publisher_.changed();
  hear();
  EXPECT_EQ(revision(), before) << "two hosts wait";
  EXPECT_EQ(serial(), serial_before);
  live(1s);
  EXPECT_EQ(revision(), catalog_.revision());
  EXPECT_EQ(serial(), catalog_.serial());
}

TEST_F(PublisherTest, TheRevisionMovesOnBesideASteadyStreamOfChanges) {
  put_many(10);
  publisher_.changed();
  const std::uint64_t wanted = catalog_.revision();
  for (int i = 0; i < 100 && revision() < wanted; ++i) {
    put("eu-1/n1", "t" + std::to_string(i));
    publisher_.changed();
    live(10ms);
  }
  EXPECT_GE(revision(), wanted);
  EXPECT_LT(revision(), catalog_.revision());
}

TEST_F(PublisherTest, AFlushLeavesNothing) {
  put_many(50);
  put_node("us-1/n1");
  publisher_.changed();
  publisher_.flush();
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(answers("s" + std::to_string(i)));
  EXPECT_EQ(publisher_.waiting(topology::Urgency::Addition), 0U);
  EXPECT_EQ(publisher_.outdated(), 0U);
  EXPECT_EQ(revision(), catalog_.revision());
}

TEST_F(PublisherTest, WhoWaitsForAWholeTableIsCalledWhenItIsPublishedAndNotBefore) {
  put_many(50);
  int calls = 0;
  publisher_.publish_all([&] { ++calls; });
  EXPECT_EQ(calls, 0) << "the table is made by the other thread";
  hear();
  EXPECT_EQ(calls, 1);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(answers("s" + std::to_string(i)));
  EXPECT_EQ(revision(), catalog_.revision());
  live(1s);
  EXPECT_EQ(calls, 1);
}

TEST_F(PublisherTest, WhoWaitsGetsWhatHasChangedWhileAnotherTableWasUnderWay) {
  put("eu-1/n1", "early");
  publisher_.changed();
  put_many(50);
  std::optional<std::uint64_t> seen;
  publisher_.publish_all([&] { seen = revision(); });
  const std::uint64_t wanted = catalog_.revision();
  EXPECT_EQ(seen, std::nullopt) << "the table under way was planned before";
  hear();
  ASSERT_TRUE(seen);
  EXPECT_GE(*seen, wanted);
}

TEST_F(PublisherTest, AWholeTableThatIsUnderWayIsNotMadeTwice) {
  publisher_.publish_all([] {});
  int calls = 0;
  const std::uint64_t before = publisher_.publications();
  publisher_.publish_all([&] { ++calls; });
  hear();
  EXPECT_EQ(calls, 1);
  live(1s);
  EXPECT_EQ(publisher_.publications(), before + 1);
}

TEST_F(PublisherTest, AHoldEndsWhenAWholeTableIsWanted) {
  publisher_.hold();
  put_many(3);
  publisher_.changed();
  live(1s);
  EXPECT_FALSE(answers("s2"));
  publisher_.publish_all([] {});
  hear();
  EXPECT_TRUE(answers("s2"));
}

// With more hosts than a moment's worth, this thread must not wait for them.
TEST_F(PublisherTest, ToSettleWaitsForFewHostsOnly) {
  put_many(3);
  EXPECT_TRUE(publisher_.settle());
  EXPECT_TRUE(answers("s2"));
  put_many(300);
  EXPECT_FALSE(publisher_.settle());
  EXPECT_FALSE(answers("s299"));
  live(10s);
  EXPECT_TRUE(answers("s299"));
}

TEST_F(PublisherTest, TheTableThatMakesItReadyIsWhole) {
  publisher_.set_not_ready(true);
  live(50ms);
  put_many(20);
  publisher_.set_not_ready(false);
  live(20ms);
  EXPECT_TRUE(answers("s19"));
  EXPECT_EQ(revision(), catalog_.revision());
}

// Nodes that join one after the other, each with a prefix of its own.
TEST_F(PublisherTest, PlacesAreMadeAtOnceAndThenAFewTimesASecond) {
  for (int i = 0; i < 100; ++i) {
    put_node("us-1/n" + std::to_string(i));
    publisher_.changed();
    live(10ms);
    if (i == 0) {
      EXPECT_EQ(places_, 1);
    }
  }
  EXPECT_GE(places_, 3);
  EXPECT_LE(places_, 5);
  live(300ms);
  const auto places = publisher_.with_table([](const answers::AnswerTable* table) { return table->where->places; });
  EXPECT_EQ(places.size(), 102U) << "nowhere, and each node";
}

TEST_F(PublisherTest, NewPlacesMakeHostsAnewOneAfterTheOther) {
  put_many(20);
  publisher_.changed();
  publisher_.flush();
  pass(1s);
  hear();
  put_node("us-1/n1");
  publisher_.changed();
  hear();
  EXPECT_GT(publisher_.outdated(), 10U);
  const std::size_t before = published_.size();
  put("eu-1/n1", "first", model::HealthState::Failing);
  live(20ms);
  publisher_.changed();
  live(20ms);
  std::vector<std::string> hosts;
  for (std::size_t i = before; i < published_.size(); ++i) {
    hosts.insert(hosts.end(), published_[i].begin(), published_[i].end());
  }
  EXPECT_THAT(hosts, ElementsAre(host("first")));
  EXPECT_GT(publisher_.outdated(), 0U);
  live(1s);
  EXPECT_EQ(publisher_.outdated(), 0U);
}

// Guards the history from an event for every tenth of a slow start.
TEST_F(PublisherTest, StepsOfSlowStartAreNoNewsAndAllComeToAnEnd) {
  put_node("us-1/n1");
  put_many(10);
  publisher_.changed();
  publisher_.flush();
  pass(60s);
  hear();
  for (int i = 0; i < 10; ++i) put("us-1/n1", "s" + std::to_string(i));
  publisher_.changed();
  publisher_.flush();
  const std::size_t before = published_.size();
  const std::uint64_t publications = publisher_.publications();
  live(40s);
  for (std::size_t i = before; i < published_.size(); ++i) EXPECT_THAT(published_[i], IsEmpty());
  EXPECT_GT(publisher_.publications(), publications + 10);
  EXPECT_EQ(publisher_.planner().next_due(), std::nullopt);
  EXPECT_EQ(publisher_.step_delay(), Duration::zero());
}

}  // namespace
}  // namespace meshdns::publish
