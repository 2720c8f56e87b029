// What is in the store when a federation has ended, and what the next one makes of it.
#include "dnsd/persistence/persistence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>

#include "common/time/sim_clock.h"
#include "dnsd/store/sqlite_store.h"
#include "tests/support/fakes/fake_loop.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::persistence {
namespace {

constexpr std::size_t kRemembered = 10;  // changes in the catalog's log
constexpr int kMany = 300;

model::Node node(const std::string& name) {
  model::Node out;
  out.key = "eu/" + name;
  out.locality.part(model::Part::Cluster) = "eu";
  out.locality.part(model::Part::Node) = name;
  return out;
}

std::vector<model::Endpoint> endpoints(const std::string& name, int count) {
  std::vector<model::Endpoint> out;
  for (int number = 0; number < count; ++number) {
    model::Endpoint endpoint;
    endpoint.node = "eu/" + name;
    endpoint.key = endpoint.node + "/shop/web/" + std::to_string(number);
    endpoint.source = "files";
    endpoint.namespace_ = "shop";
    endpoint.service = "web";
    endpoint.addresses = {IpAddress::v4(0x0A000000U + static_cast<std::uint32_t>(number))};
    endpoint.health.state = model::HealthState::Serving;
    out.push_back(endpoint);
  }
  return out;
}

class PersistenceTest : public testing::Test {
 protected:
  /// One life of a federation.
  void live(const std::function<void(catalog::Catalog&)>& life) {
    live([&](catalog::Catalog& catalog, Persistence&) { life(catalog); }, {});
  }
  void live(const std::function<void(catalog::Catalog&, Persistence&)>& life, Persistence::Digests digests) {
    test::FakeLoop loop;
    catalog::Catalog catalog(kRemembered);
    Objects objects(catalog, "eu/test");
    Persistence persistence(loop, loop.poster(), clock_, catalog, objects);
    ASSERT_TRUE(persistence.open(place_, std::move(digests)));
    life(catalog, persistence);
  }
  /// What a start makes of what is kept.
  Persistence::Kept kept() {
    test::FakeLoop loop;
    catalog::Catalog catalog(kRemembered);
    Objects objects(catalog, "eu/test");
    Persistence persistence(loop, loop.poster(), clock_, catalog, objects);
    EXPECT_TRUE(persistence.open(place_, {}));
    return persistence.kept();
  }
  /// How many rows of a type the store has.
  std::size_t rows(const std::string& type) {
    const auto contents = store::SqliteStore(folder_.path()).open(1);
    EXPECT_TRUE(contents);
    return static_cast<std::size_t>(
        std::ranges::count_if(contents->records, [&](const auto& record) { return record.type == type; }));
  }
  void put(catalog::Catalog& catalog, const std::string& name, int count) {
    catalog.put_node(node(name), clock_.now());
    catalog.apply_full("eu/" + name, endpoints(name, count), {"files"}, clock_.now());
  }

  const store::Folder folder_;
  SimClock clock_;
  const Persistence::Place place_{folder_.path_of_folder(), "federation.db"};
};

TEST_F(PersistenceTest, WhatWasKnownIsKnownAgain) {
  live([&](catalog::Catalog& catalog) { put(catalog, "n1", 3); });
  live([&](catalog::Catalog& catalog) {
    EXPECT_EQ(catalog.records().nodes.size(), 1U);
    EXPECT_EQ(catalog.records().endpoints.size(), 3U);
  });
}

// Guards against an automatic host that changes its owner with a restart.
TEST_F(PersistenceTest, WhenAServiceWasHeardOfFirstIsKnownAgain) {
  live([&](catalog::Catalog& catalog) {
    catalog.set_wall_clock([] { return 1000; });
    put(catalog, "n1", 1);
    EXPECT_EQ(catalog.records().services.at({"shop", "web"}).created, 1000 * 1000);
  });
  live([&](catalog::Catalog& catalog) {
    catalog.set_wall_clock([] { return 2000; });
    EXPECT_EQ(catalog.records().services.at({"shop", "web"}).created, 1000 * 1000);
    EXPECT_EQ(catalog.records().services.at({"shop", "web"}).endpoints, 1U);
  });
}

// Guards against an agent's mistake that a restart of the federation makes forget.
TEST_F(PersistenceTest, WhatAnAgentDoesNotReadIsKnownAgainAndWhoIsLateIsNot) {
  live([&](catalog::Catalog& catalog) {
    put(catalog, "n1", 1);
    put(catalog, "n2", 1);
    catalog.set_unwatched({"eu/n1/shop/web/0"}, clock_.now());
    model::NodeStatus status;
    status.in_doubt = true;
    catalog.set_status("eu/n2", status, clock_.now());
    status.problem = "does not read endpoints.d: a.yaml:1:1: no";
    status.unwatched = true;
    catalog.set_status("eu/n1", status, clock_.now());
  });
  live([&](catalog::Catalog& catalog) {
    ASSERT_EQ(catalog.records().statuses.size(), 1U);
    const model::NodeStatus& status = catalog.records().statuses.at("eu/n1");
    EXPECT_EQ(status.problem, "does not read endpoints.d: a.yaml:1:1: no");
    EXPECT_TRUE(status.unwatched);
    EXPECT_FALSE(status.in_doubt);
    EXPECT_TRUE(catalog.records().endpoints.at("eu/n1/shop/web/0").unwatched);
  });
}

// Guards against rows that stay for ever because more went at once than the catalog remembers.
TEST_F(PersistenceTest, WhatGoesInALargeChangeGoesFromTheStore) {
  live([&](catalog::Catalog& catalog) { put(catalog, "n1", kMany); });
  EXPECT_EQ(rows("Endpoint"), static_cast<std::size_t>(kMany));
  live([&](catalog::Catalog& catalog) {
    put(catalog, "n1", 2);
    put(catalog, "n2", kMany);
  });
  EXPECT_EQ(rows("Endpoint"), 2U + static_cast<std::size_t>(kMany));
}

// The digest is a part of the endpoint's row, so that no crash leaves a new one beside an old body.
TEST_F(PersistenceTest, DigestsComeBackWithTheirEndpoints) {
  std::uint64_t digest = 7;
  std::vector<std::uint64_t> restored;
  const Persistence::Digests digests{[&](const model::Endpoint&) { return digest; },
                                     [&](const model::Endpoint&, std::uint64_t of) { restored.push_back(of); }};
  live([&](catalog::Catalog& catalog, Persistence&) { put(catalog, "n1", 2); }, digests);
  live(
      [&](catalog::Catalog& catalog, Persistence& persistence) {
        digest = 8;
        // sent anew, and equal: the catalog has no change to tell of
        persistence.told(catalog.records().endpoints.begin()->first);
      },
      digests);
  EXPECT_THAT(std::exchange(restored, {}), testing::ElementsAre(7, 7));
  live([](catalog::Catalog&, Persistence&) {}, digests);
  EXPECT_THAT(restored, testing::ElementsAre(8, 7));
}

// Guards against endpoints that nobody takes away: a crash may leave a part of a large change.
TEST_F(PersistenceTest, AnEndpointWithoutItsNodeIsNotRestoredAndGoes) {
  live([&](catalog::Catalog& catalog) {
    put(catalog, "n1", 3);
    put(catalog, "n2", 2);
  });
  {
    store::SqliteStore store(folder_.path());
    ASSERT_TRUE(store.open(1));
    ASSERT_TRUE(store.put_records({}, {{"Node", "eu/n1"}}));
  }
  live([&](catalog::Catalog& catalog) { EXPECT_EQ(catalog.records().endpoints.size(), 2U); });
  EXPECT_EQ(rows("Endpoint"), 2U);
}

// An empty marker, as a full disk left it at the first start: that the database was lost was not noticed.
TEST_F(PersistenceTest, ALostStoreIsNoticedThoughTheMarkerSaysNothing) {
  live([&](catalog::Catalog& catalog) { put(catalog, "n1", 3); });
  std::filesystem::remove(folder_.path());
  store::write_bytes(folder_.path("federation.db.state"), "");
  EXPECT_EQ(kept(), Persistence::Kept::Lost);
}

/// What a federation leaves when it is killed: file, log and marker in the middle of its life.
class KilledTest : public PersistenceTest {
 protected:
  /// Runs until the marker has noted this many transactions of objects, and copies what is on the disk.
  void kill_after_object() {
    test::FakeLoop loop;
    catalog::Catalog catalog(kRemembered);
    Objects objects(catalog, "eu/test");
    Persistence persistence(loop, loop.poster(), clock_, catalog, objects);
    ASSERT_TRUE(persistence.open(place_, {}));
    v1::Object object;
    object.set_api_version("meshdns.io/v1alpha1");
    object.set_kind("Cluster");
    object.mutable_metadata()->set_name("eu");
    object.mutable_cluster()->mutable_locality()->set_region("eu");
    bool applied = false;
    persistence.apply({.put = {object}, .erase = {}}, [&](const Result<void>& done) { applied = done.has_value(); });
    const StoreMarker marker(folder_.path("federation.db.state"));
    const std::function<void()> look = [&] {
      if (applied && marker.read().written.of_objects == 1) return loop.stop();
      loop.after(1ms, look);
    };
    look();
    loop.run();
    for (const char* name : {"federation.db", "federation.db-wal", "federation.db.state"}) {
      left_[name] = store::bytes_of(folder_.path(name));
    }
  }
  void put_back() {
    for (const auto& [name, bytes] : left_) store::write_bytes(folder_.path(name), bytes);
  }
  struct Start {
    Persistence::Kept kept{};
    std::string lacked;
    std::size_t objects = 0;
  };
  Start start() {
    test::FakeLoop loop;
    catalog::Catalog catalog(kRemembered);
    Objects objects(catalog, "eu/test");
    Persistence persistence(loop, loop.poster(), clock_, catalog, objects);
    EXPECT_TRUE(persistence.open(place_, {}));
    return {persistence.kept(), persistence.lacked(), objects.all().size()};
  }

  std::map<std::string, std::string> left_;
};

TEST_F(KilledTest, WhatWasKilledIsWhole) {
  kill_after_object();
  put_back();
  const Start found = start();
  EXPECT_EQ(found.kept, Persistence::Kept::Kept);
  EXPECT_EQ(found.lacked, "");
  EXPECT_EQ(found.objects, 1U);
}

// An older file, or a log that is gone: ready, NXDOMAIN, lost=false.
TEST_F(KilledTest, AStoreThatLacksTransactionsIsLostAndSaysSo) {
  live([](catalog::Catalog&) {});
  const std::string before = store::bytes_of(folder_.path());
  kill_after_object();
  put_back();
  store::write_bytes(folder_.path(), before);
  store::write_bytes(folder_.path("federation.db-wal"), "");
  const Start found = start();
  EXPECT_EQ(found.kept, Persistence::Kept::Lost);
  EXPECT_NE(found.lacked.find("transactions, 1 of them of objects"), std::string::npos) << found.lacked;
  EXPECT_EQ(start().lacked, "") << "it is told once, and the recovery goes on";
  EXPECT_EQ(start().kept, Persistence::Kept::Lost);
}

// A claim of a subscriber must not be more at the next start than it was.
TEST_F(PersistenceTest, WhatOnlyASubscriberSaysKeepsNobodyFromAnswering) {
  live([&](catalog::Catalog&, Persistence& persistence) { persistence.found_lost(true); }, {});
  live(
      [&](catalog::Catalog&, Persistence& persistence) {
        EXPECT_EQ(persistence.kept(), Persistence::Kept::Lost);
        EXPECT_TRUE(persistence.loss().claimed);
        EXPECT_FALSE(persistence.knows_nothing());
      },
      {});
}

TEST_F(PersistenceTest, TheFirstStartIsNoLoss) {
  EXPECT_EQ(kept(), Persistence::Kept::New);
  EXPECT_EQ(kept(), Persistence::Kept::Kept);
}

// A folder that cannot be entered was taken for a first start, and its snapshot overwritten.
TEST_F(PersistenceTest, AFolderThatCannotBeEnteredIsNoFirstStart) {
  live([&](catalog::Catalog& catalog) { put(catalog, "n1", 3); });
  const uid_t user = geteuid();
  if (user != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(chmod(folder_.path_of_folder().c_str(), 0700), 0);
  ASSERT_EQ(seteuid(65534), 0);
  test::FakeLoop loop;
  catalog::Catalog catalog(kRemembered);
  Objects objects(catalog, "eu/test");
  Persistence persistence(loop, loop.poster(), clock_, catalog, objects);
  const auto opened = persistence.open(place_, {});
  ASSERT_EQ(seteuid(user), 0);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find("Permission denied"), std::string::npos) << opened.error().message();
}

}  // namespace
}  // namespace meshdns::persistence
