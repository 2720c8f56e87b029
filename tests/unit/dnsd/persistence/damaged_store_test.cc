// A federation is killed, and its store damaged before the next start. SQLite stops at the first bad frame of its log
// without a word, so that the store lacks transactions that were acknowledged. The next start has all the same what the
// snapshot has, and every object that was acknowledged, and says what happened.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "dnsd/federation/feed.h"
#include "dnsd/persistence/persistence.h"
#include "dnsd/persistence/seed.h"
#include "dnsd/persistence/store_marker.h"
#include "dnsd/snapshot_file/snapshot_file.h"
#include "tests/support/fakes/fake_loop.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::persistence {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kRemembered = 10;  // changes in the catalog's log
constexpr const char* kStore = "federation.db";
constexpr const char* kLog = "federation.db-wal";
constexpr const char* kMarker = "federation.db.state";

v1::Object cluster(const std::string& name, const std::string& region) {
  v1::Object out;
  out.set_api_version("meshdns.io/v1alpha1");
  out.set_kind("Cluster");
  out.mutable_metadata()->set_name(name);
  out.mutable_cluster()->mutable_locality()->set_region(region);
  return out;
}

model::Endpoint endpoint(std::uint32_t number) {
  model::Endpoint out;
  out.node = "eu/n1";
  out.key = "eu/n1/shop/web/" + std::to_string(number);
  out.source = "files";
  out.namespace_ = "shop";
  out.service = "web";
  out.addresses = {IpAddress::v4(0x0A000000U + number)};
  out.health.state = model::HealthState::Serving;
  return out;
}

/// One life of a federation over a folder.
struct Life {
  explicit Life(const store::Folder& folder) { EXPECT_TRUE(persistence.open({folder.path_of_folder(), kStore}, {})); }

  void apply(const v1::Object& object) {
    bool applied = false;
    persistence.apply({.put = {object}, .erase = {}}, [&](const Result<void>& done) { applied = done.has_value(); });
    loop.run_until([&] { return applied; });
  }
  void report(std::uint32_t endpoints) {
    model::Node node;
    node.key = "eu/n1";
    node.locality.cluster = "eu";
    node.locality.node = "n1";
    catalog.put_node(node, loop.now());
    std::vector<model::Endpoint> all;
    for (std::uint32_t i = 0; i < endpoints; ++i) all.push_back(endpoint(i));
    catalog.apply_full("eu/n1", all, {"files"}, loop.now());
  }
  /// Writes the snapshot that a start after a loss is seeded from.
  void keep_snapshot(const store::Folder& folder) {
    v1::Origin origin;
    origin.set_cluster("eu");
    origin.set_instance("test");
    federation::Feed feed(catalog, origin, persistence.epoch(),
                          [this](auto type, const std::string& key) { return objects.find(type, key); });
    feed.update();
    std::string content;
    const auto blocks = feed.blocks(loop.now(), 1000);
    while (const auto block = blocks()) content += *block;
    EXPECT_TRUE(snapshot_file::SnapshotFile(folder.path(kFederationSnapshot)).save(content, loop.unix_seconds()));
  }
  std::string region(const std::string& name) const {
    const v1::Object* object = objects.find(catalog::RecordType::Cluster, name);
    return object == nullptr ? "" : object->cluster().locality().region();
  }

  test::FakeLoop loop;
  catalog::Catalog catalog{kRemembered};
  Objects objects{catalog, "eu/test"};
  Persistence persistence{loop, loop.poster(), loop, catalog, objects};
};

class DamagedStoreTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kEndpoints = 40;

  /// Applies two objects, one of them twice, then reports endpoints, and is killed: the log has the endpoints, and the
  /// marker knows all transactions.
  DamagedStoreTest() {
    Life life(folder_);
    life.apply(cluster("us", "us"));
    older_ = store::bytes_of(folder_.path(kStore));
    life.apply(cluster("us", "us-moved"));
    life.apply(cluster("jp", "jp"));
    const StoreMarker marker(folder_.path(kMarker));
    life.loop.run_until([&] { return marker.read().written.of_objects == 3; });
    const std::uint64_t before = marker.read().written.transactions;
    life.loop.take(Persistence::kMarkInterval + 1s);  // the marker is due with the next write
    life.report(kEndpoints);
    life.loop.run_until([&] { return marker.read().written.transactions > before; });
    life.keep_snapshot(folder_);
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path_of_folder())) {
      left_[entry.path().filename().string()] = store::bytes_of(entry.path().string());
    }
  }

  struct Found {
    Persistence::Kept kept{};
    bool seeded = false;
    std::string lacked;
    std::string us, jp;  // the regions of the objects
    std::size_t endpoints = 0;
    std::string log;
  };
  /// What a start makes of these files instead of those that the kill has left; null = the file is gone.
  Found start_with(const std::map<std::string, const std::string*>& damaged) {
    const store::Folder folder(store::memory_folder());
    for (const auto& [name, bytes] : left_) {
      const auto other = damaged.find(name);
      if (other == damaged.end()) store::write_bytes(folder.path(name), bytes);
      if (other != damaged.end() && other->second != nullptr) store::write_bytes(folder.path(name), *other->second);
    }
    testing::internal::CaptureStderr();
    const Life life(folder);
    return {life.persistence.kept(),
            life.persistence.loss().seeded,
            life.persistence.lacked(),
            life.region("us"),
            life.region("jp"),
            life.catalog.records().endpoints.size(),
            testing::internal::GetCapturedStderr()};
  }
  /// The store is lost, and everything is there all the same.
  static void expect_seeded(const Found& found) {
    EXPECT_EQ(found.kept, Persistence::Kept::Lost);
    EXPECT_TRUE(found.seeded);
    EXPECT_THAT(found.lacked, HasSubstr("transactions"));
    EXPECT_EQ(found.us, "us-moved");
    EXPECT_EQ(found.jp, "jp");
    EXPECT_EQ(found.endpoints, kEndpoints);
    EXPECT_THAT(found.log, HasSubstr("the store has lost what was written"));
    EXPECT_THAT(found.log, HasSubstr("seeded from a snapshot"));
    EXPECT_THAT(found.log, HasSubstr("lost=true seeded=true"));
  }

  const store::Folder folder_;
  std::string older_;                        // the store before the last two objects
  std::map<std::string, std::string> left_;  // by file
};

TEST_F(DamagedStoreTest, WithoutDamageNothingIsLost) {
  ASSERT_GT(left_[kLog].size(), 8000U) << "the endpoints are in the log";
  const Found found = start_with({});
  EXPECT_EQ(found.kept, Persistence::Kept::Kept);
  EXPECT_EQ(found.lacked, "");
  EXPECT_EQ(found.us, "us-moved");
  EXPECT_EQ(found.endpoints, kEndpoints);
  EXPECT_THAT(found.log, HasSubstr("lost=false seeded=false"));
  EXPECT_THAT(found.log, Not(HasSubstr("seeded from a snapshot")));
}

TEST_F(DamagedStoreTest, OneFlippedBitOfTheLogWhereverItIs) {
  const std::string whole = left_[kLog];
  for (std::size_t i = 0; i <= 20; ++i) {
    const std::size_t at = std::min(i * whole.size() / 20, whole.size() - 1);
    SCOPED_TRACE("byte " + std::to_string(at));
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 0x10);
    expect_seeded(start_with({{kLog, &flipped}}));
  }
}

TEST_F(DamagedStoreTest, ACutLog) {
  const std::string whole = left_[kLog];
  for (const std::size_t size : {std::size_t{0}, std::size_t{31}, whole.size() / 3, whole.size() - 1}) {
    SCOPED_TRACE("cut to " + std::to_string(size));
    const std::string cut = whole.substr(0, size);
    expect_seeded(start_with({{kLog, &cut}}));
  }
}

TEST_F(DamagedStoreTest, ARemovedLog) { expect_seeded(start_with({{kLog, nullptr}})); }

// The older file has an older version of one object, and lacks the other.
TEST_F(DamagedStoreTest, AnOlderFileWithoutItsLog) {
  const Found found = start_with({{kStore, &older_}, {kLog, nullptr}});
  expect_seeded(found);
  EXPECT_THAT(found.lacked, HasSubstr("2 of them of objects"));
}

// Without a snapshot nobody may be told that a name does not exist; the objects of the store are there.
TEST_F(DamagedStoreTest, WithoutASnapshotNothingIsKnown) {
  const Found found = start_with({{kLog, nullptr}, {std::string(kFederationSnapshot) + ".snapshot", nullptr}});
  EXPECT_EQ(found.kept, Persistence::Kept::Lost);
  EXPECT_FALSE(found.seeded);
  EXPECT_EQ(found.us, "us-moved") << "a transaction of objects does not stay in the log";
  EXPECT_EQ(found.jp, "jp");
  EXPECT_LT(found.endpoints, kEndpoints);
  EXPECT_THAT(found.log, HasSubstr("the store has lost what was written"));
  EXPECT_THAT(found.log, HasSubstr("lost=true seeded=false"));
}

}  // namespace
}  // namespace meshdns::persistence
