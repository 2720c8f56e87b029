// Sizes of the store's writer: whatever the size of a slice, the store ends with what the catalog has.
#include "dnsd/persistence/record_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "common/base/random_seed.h"
#include "common/time/sim_clock.h"

namespace meshdns::persistence {
namespace {

using catalog::RecordType;

model::Node node(const std::string& key) {
  model::Node node;
  node.key = key;
  node.locality.part(model::Part::Cluster) = "eu";
  node.locality.part(model::Part::Node) = key.substr(3);
  return node;
}

model::Endpoint endpoint(const std::string& node, int number, std::uint32_t weight) {
  model::Endpoint out;
  out.key = node + "/shop/web/" + std::to_string(number);
  out.node = node;
  out.source = "files";
  out.namespace_ = "shop";
  out.service = "web";
  out.addresses = {*IpAddress::parse("10.0.0.1")};
  out.weight = weight;
  out.health.state = model::HealthState::Serving;
  return out;
}

/// A store that answers each call when the test says so.
struct SlowStore {
  struct Call {
    std::vector<store::StoredRecord> put;
    std::vector<store::RecordKey> erase;
    RecordWriter::Done done;
  };

  /// Ends the oldest call. A failed one is merged with the next, as StoreThread does.
  void answer(const Result<void>& result = {}) {
    Call call = std::move(calls.front());
    calls.pop_front();
    for (auto& record : call.put) waiting[{record.type, record.key}] = record;
    for (const auto& key : call.erase) waiting[key] = std::nullopt;
    if (result) {
      for (auto& [key, record] : waiting) record ? void(rows[key] = *record) : void(rows.erase(key));
      waiting.clear();
    }
    call.done(result);
  }
  std::size_t rows_waiting() const {
    std::size_t count = 0;
    for (const Call& call : calls) count += call.put.size() + call.erase.size();
    return count;
  }

  std::deque<Call> calls;
  std::map<store::RecordKey, std::optional<store::StoredRecord>> waiting;
  std::map<store::RecordKey, store::StoredRecord> rows;
};

class RecordWriterTest : public testing::TestWithParam<RecordWriter::Sizes> {
 protected:
  RecordWriterTest() {
    catalog_.set_noted([this](RecordType type, const std::string& key) { writer_.changed(type, key); });
  }
  ~RecordWriterTest() override { catalog_.set_noted({}); }

  void put_node(const std::string& key, int endpoints, std::uint32_t weight = 1) {
    catalog_.put_node(node(key), clock_.now());
    std::vector<model::Endpoint> all;
    for (int number = 0; number < endpoints; ++number) all.push_back(endpoint(key, number, weight));
    catalog_.apply_full(key, all, {"files"}, clock_.now());
  }
  /// Time passes and calls are answered until nothing is left to do.
  void settle() {
    while (clock_.pending() > 0 || !store_.calls.empty()) {
      clock_.advance(1s);
      while (!store_.calls.empty()) store_.answer();
    }
  }
  /// What the store should have.
  std::map<store::RecordKey, std::string> expected() const {
    std::map<store::RecordKey, std::string> out;
    const auto add = [&](RecordType type, const std::string& key) {
      const auto record = stored_record(catalog_.records(), type, key, {clock_.now(), clock_.unix_seconds()});
      if (record) out[{record->type, record->key}] = record->body;
    };
    for (const auto& [key, node] : catalog_.records().nodes) add(RecordType::Node, key);
    for (const auto& [key, status] : catalog_.records().statuses) add(RecordType::NodeStatus, key);
    for (const auto& [key, endpoint] : catalog_.records().endpoints) add(RecordType::Endpoint, key);
    for (const auto& [key, service] : catalog_.records().services) {
      add(RecordType::Service, catalog::service_key_text(key));
    }
    out[{kSerialRecord, ""}] = std::to_string(catalog_.serial());
    return out;
  }
  std::map<store::RecordKey, std::string> found() const {
    std::map<store::RecordKey, std::string> out;
    for (const auto& [key, record] : store_.rows) out[key] = record.body;
    return out;
  }

  SimClock clock_;
  catalog::Catalog catalog_;
  SlowStore store_;
  std::vector<bool> verdicts_;
  RecordWriter writer_{{clock_, clock_, catalog_,
                        [this](auto put, auto erase, auto done) {
                          store_.calls.push_back({std::move(put), std::move(erase), std::move(done)});
                        },
                        [this](const Result<void>& result) { verdicts_.push_back(result.has_value()); }},
                       GetParam()};
};

TEST_P(RecordWriterTest, WritesWhatChangedAndErasesWhatWent) {
  put_node("eu/n1", 5);
  put_node("eu/n2", 3);
  EXPECT_TRUE(store_.calls.empty()) << "later";
  settle();
  EXPECT_EQ(found(), expected());
  EXPECT_EQ(found().size(), 12U);
  put_node("eu/n1", 2, 7);
  catalog_.withdraw("eu/n2", clock_.now());
  settle();
  EXPECT_EQ(found(), expected());
  EXPECT_EQ(found().size(), 5U);
}

TEST_P(RecordWriterTest, NoTurnAndNoQueueIsLarge) {
  put_node("eu/n1", 200);
  put_node("eu/n2", 200);
  const RecordWriter::Sizes sizes = GetParam();
  clock_.advance(1min);
  for (const auto& call : store_.calls) EXPECT_LE(call.put.size() + call.erase.size(), sizes.slice + 1);
  EXPECT_LE(store_.rows_waiting(), sizes.ahead + sizes.slice + 1) << "more waits until the disk has caught up";
  settle();
  EXPECT_EQ(found(), expected());
}

TEST_P(RecordWriterTest, ARecordThatChangesAllTheTimeIsWrittenOnceARound) {
  put_node("eu/n1", 1);
  settle();
  std::size_t writes = 0;
  for (int change = 0; change < 100; ++change) {
    put_node("eu/n1", 1, 10 + static_cast<std::uint32_t>(change));
    clock_.advance(100ms);
    for (; !store_.calls.empty(); store_.answer()) ++writes;
  }
  EXPECT_GE(writes, 9U);
  EXPECT_LE(writes, 22U) << "ten seconds, at most a round each; a round is two calls where a slice is one record";
  settle();
  EXPECT_EQ(found(), expected());
}

TEST_P(RecordWriterTest, AStoreThatWasLostGetsEverythingThoughRecordsComeAndGo) {
  for (int number = 10; number < 30; ++number) put_node("eu/n" + std::to_string(number), 4);
  settle();
  store_.rows.clear();
  writer_.everything();
  for (int step = 0; clock_.pending() > 0 || !store_.calls.empty(); ++step) {
    clock_.advance(step == 0 ? 1s : Duration{0});
    if (!store_.calls.empty()) store_.answer();
    if (step % 3 == 1 && step < 40) catalog_.withdraw("eu/n" + std::to_string(10 + step % 20), clock_.now());
    if (step % 3 == 2 && step < 40) put_node("eu/m" + std::to_string(step), 2);
    if (step >= 40) clock_.advance(1s);
  }
  EXPECT_EQ(found(), expected());
}

TEST_P(RecordWriterTest, WhatFailsIsTriedAgainAndNothingMoreIsHandedOver) {
  put_node("eu/n1", 50);
  clock_.advance(1s);
  ASSERT_FALSE(store_.calls.empty());
  while (!store_.calls.empty()) store_.answer(Error{Code::Unavailable, "full"});
  for (int second = 0; second < 10; ++second) {
    put_node("eu/n1", 50, 100 + static_cast<std::uint32_t>(second));
    clock_.advance(1s);
    EXPECT_LE(store_.calls.size(), 1U);
    for (const auto& call : store_.calls) EXPECT_EQ(call.put.size(), 1U) << "the serial alone, to see whether it works";
    while (!store_.calls.empty()) store_.answer(Error{Code::Unavailable, "full"});
  }
  EXPECT_THAT(verdicts_, testing::Not(testing::Contains(true)));
  settle();
  EXPECT_EQ(found(), expected());
}

TEST_P(RecordWriterTest, NothingMoreIsHandedOverWhileTheStoreTriesAgain) {
  put_node("eu/n1", 50);
  clock_.advance(1s);
  while (!store_.calls.empty()) store_.answer(Error{Code::Unavailable, "full"});
  clock_.advance(1s);
  ASSERT_EQ(store_.calls.size(), 1U) << "the store is asked again, and takes its time";
  put_node("eu/n1", 50, 9);
  clock_.advance(10s);
  EXPECT_EQ(store_.calls.size(), 1U);
  settle();
  EXPECT_EQ(found(), expected());
}

TEST_P(RecordWriterTest, AnotherObjectIsAnotherSerial) {
  model::Cluster cluster;
  cluster.meta.name = "eu";
  catalog_.put_cluster(cluster, clock_.now());
  settle();
  EXPECT_EQ(found(), expected()) << "its body is not the writer's, the revision is";
  EXPECT_EQ(found().size(), 1U);
}

TEST_P(RecordWriterTest, TheEndHandsOverAtOnce) {
  put_node("eu/n1", 10);
  writer_.finish();
  EXPECT_EQ(clock_.pending(), 0U);
  while (!store_.calls.empty()) store_.answer();
  const bool all = GetParam().last >= 12;
  EXPECT_TRUE(!all || found() == expected());
  EXPECT_LE(found().size(), GetParam().last + 1);
}

TEST_P(RecordWriterTest, HistoriesOfAnyKind) {
  const std::uint64_t seed = random_seed();
  std::mt19937_64 random(seed);
  SCOPED_TRACE("seed " + std::to_string(seed));
  for (int step = 0; step < 3000; ++step) {
    const std::string key = "eu/n" + std::to_string(random() % 6);
    switch (random() % 8) {
      case 0: catalog_.withdraw(key, clock_.now()); break;
      case 1: catalog_.set_status(key, {.silent = random() % 2 == 0, .since = clock_.now()}, clock_.now()); break;
      case 2: clock_.advance(std::chrono::milliseconds(random() % 1500)); break;
      case 3:
        if (!store_.calls.empty()) store_.answer(Error{Code::Unavailable, "full"});
        break;
      case 4: writer_.everything(); break;
      case 5:
        if (!store_.calls.empty()) store_.answer();
        break;
      default: put_node(key, static_cast<int>(random() % 7), static_cast<std::uint32_t>(1 + random() % 3));
    }
  }
  settle();
  EXPECT_EQ(found(), expected());
}

INSTANTIATE_TEST_SUITE_P(Defaults, RecordWriterTest, testing::Values(RecordWriter::Sizes{}));
INSTANTIATE_TEST_SUITE_P(Smallest, RecordWriterTest,
                         testing::Values(RecordWriter::Sizes{.slice = 1, .ahead = 1, .last = 1}));
INSTANTIATE_TEST_SUITE_P(Middle, RecordWriterTest,
                         testing::Values(RecordWriter::Sizes{.slice = 7, .ahead = 20, .last = 10}));

}  // namespace
}  // namespace meshdns::persistence
