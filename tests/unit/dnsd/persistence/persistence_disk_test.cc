// Persistence on disks that are slow or refuse: memory goes on, and what was not written is written later.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dnsd/persistence/persistence.h"
#include "dnsd/store/sqlite_store.h"
#include "tests/support/fakes/fake_loop.h"
#include "tests/support/fakes/slow_file.h"
#include "tests/unit/dnsd/store/folder.h"

namespace meshdns::persistence {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t kRemembered = 10;  // changes in the catalog's log

v1::Object cluster(const std::string& name) {
  v1::Object out;
  out.set_api_version("meshdns.io/v1alpha1");
  out.set_kind("Cluster");
  out.mutable_metadata()->set_name(name);
  out.mutable_cluster()->mutable_locality()->set_region("eu");
  return out;
}

/// No file of this process becomes longer than it is allowed to, as on a disk that is full.
class FullDisk {
 public:
  FullDisk() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit full = before_;
    full.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &full);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

/// A federation's persistence on a loop.
class PersistenceDiskTest : public testing::Test {
 protected:
  void start(const std::string& database = "federation.db") {
    catalog_.emplace(kRemembered);
    objects_.emplace(*catalog_, "eu/test");
    persistence_.emplace(loop_, loop_.poster(), loop_, *catalog_, *objects_);
    ASSERT_TRUE(persistence_->open({folder_.path_of_folder(), database}, {}));
  }
  void stop() {
    persistence_.reset();
    objects_.reset();
    catalog_.reset();
  }
  /// Applies a cluster.
  /// returns: the store's verdict
  Result<void> apply(const std::string& name) {
    std::optional<Result<void>> verdict;
    persistence_->apply({.put = {cluster(name)}, .erase = {}}, [&](const Result<void>& done) { verdict = done; });
    loop_.run_until([&] { return verdict.has_value(); });
    return *verdict;
  }
  std::vector<std::string> clusters() const {
    std::vector<std::string> out;
    for (const auto& [key, object] : objects_->all()) out.push_back(object.metadata().name());
    return out;
  }
  void put_node(const std::string& name) {
    model::Node node;
    node.key = "eu/" + name;
    node.locality.part(model::Part::Cluster) = "eu";
    node.locality.part(model::Part::Node) = name;
    EXPECT_FALSE(catalog_->put_node(node, loop_.now()));
  }
  std::string marker() const { return folder_.path("federation.db.state"); }
  store::Written marked() const { return StoreMarker(marker()).read().written; }

  const store::Folder folder_;
  test::FakeLoop loop_;
  std::optional<catalog::Catalog> catalog_;
  std::optional<Objects> objects_;
  std::optional<Persistence> persistence_;
};

TEST_F(PersistenceDiskTest, EndsBeforeItIsOpen) {
  catalog_.emplace(kRemembered);
  objects_.emplace(*catalog_, "eu/test");
  persistence_.emplace(loop_, loop_.poster(), loop_, *catalog_, *objects_);
  stop();
  EXPECT_EQ(folder_.count(""), 0);
}

TEST_F(PersistenceDiskTest, WithoutADatabaseNothingIsOnTheDiskAndTheNextStartIsTheFirst) {
  start("");
  EXPECT_TRUE(apply("eu"));
  put_node("n1");
  stop();
  EXPECT_EQ(folder_.count(""), 0);
  start("");
  EXPECT_EQ(persistence_->kept(), Persistence::Kept::New);
  EXPECT_THAT(clusters(), IsEmpty());
}

TEST_F(PersistenceDiskTest, ADiskThatRefusesAtTheStartIsNoStart) {
  store::write_bytes(folder_.path("file"), "");
  catalog_.emplace(kRemembered);
  objects_.emplace(*catalog_, "eu/test");
  persistence_.emplace(loop_, loop_.poster(), loop_, *catalog_, *objects_);
  EXPECT_FALSE(persistence_->open({folder_.path("file"), "federation.db"}, {}));
}

TEST_F(PersistenceDiskTest, AnObjectThatCannotBeStoredIsNotTrue) {
  start();
  ASSERT_TRUE(apply("eu"));
  {
    const FullDisk full;
    EXPECT_FALSE(apply("us"));
    EXPECT_NE(persistence_->trouble(), "");
    EXPECT_THAT(clusters(), ElementsAre("eu"));
  }
  EXPECT_TRUE(apply("ap"));
  EXPECT_EQ(persistence_->trouble(), "");
  EXPECT_THAT(clusters(), ElementsAre("ap", "eu"));
  stop();
  start();
  EXPECT_EQ(persistence_->kept(), Persistence::Kept::Kept);
  EXPECT_THAT(clusters(), ElementsAre("ap", "eu"));
}

// An object of the Kubernetes API is in force whatever the disk does; the copy follows when there is room.
TEST_F(PersistenceDiskTest, AnAdoptedObjectIsTrueAtOnceAndItsCopyIsWrittenLater) {
  start();
  ASSERT_TRUE(apply("gone"));
  {
    const FullDisk full;
    EXPECT_TRUE(persistence_->adopt({.put = {cluster("eu")}, .erase = {"Cluster/gone"}}).empty());
    EXPECT_THAT(clusters(), ElementsAre("eu"));
    loop_.run_until([&] { return persistence_->trouble() != ""; });
  }
  loop_.run_until([&] { return persistence_->trouble().empty(); });
  ASSERT_TRUE(apply("us"));  // the copy was queued before
  stop();
  start();
  EXPECT_THAT(clusters(), ElementsAre("eu", "us"));
}

TEST_F(PersistenceDiskTest, RecordsThatCouldNotBeWrittenAreWrittenLater) {
  start();
  {
    const FullDisk full;
    put_node("n1");
    loop_.run_until([&] { return persistence_->trouble() != ""; });
    put_node("n2");
  }
  loop_.run_until([&] { return persistence_->trouble().empty(); });
  stop();
  start();
  EXPECT_THAT(persistence_->restored(), ElementsAre("eu/n1", "eu/n2"));
}

TEST_F(PersistenceDiskTest, TheEndOnADiskThatRefusesLosesOnlyWhatWasNotWritten) {
  start();
  put_node("n1");
  stop();
  start();
  {
    const FullDisk full;
    put_node("n2");
    stop();
  }
  start();
  EXPECT_THAT(persistence_->restored(), ElementsAre("eu/n1"));
}

TEST_F(PersistenceDiskTest, WhatChangesWhileItIsWrittenIsWrittenToo) {
  start();
  for (int number = 0; number < 20; ++number) {
    put_node("n" + std::to_string(number % 10));
    loop_.run_for(300ms);
  }
  catalog_->put_node(catalog_->records().nodes.at("eu/n1"), loop_.now());
  stop();
  start();
  EXPECT_EQ(persistence_->restored().size(), 10U);
}

// Guards against operators that wait for the marker beside the store.
TEST_F(PersistenceDiskTest, AMarkerOnASlowDiskDelaysNobodyAndIsWrittenAgainWhenItFails) {
  start();
  ASSERT_TRUE(apply("eu"));
  loop_.run_until([&] { return marked().of_objects == 1; });
  test::SlowFile slow(marker() + ".next");
  ASSERT_TRUE(slow.made());
  EXPECT_TRUE(apply("us"));
  EXPECT_TRUE(apply("ap"));
  EXPECT_THAT(clusters(), ElementsAre("ap", "eu", "us"));
  EXPECT_EQ(marked().of_objects, 1U);
  slow.let_go();
  loop_.run_until([&] {
    EXPECT_TRUE(apply("sa"));
    return marked().of_objects >= 4;
  });
}

TEST_F(PersistenceDiskTest, AMarkerThatCannotBeWrittenAtTheEndIsNoLoss) {
  start();
  ASSERT_TRUE(apply("eu"));
  loop_.run_until([&] { return marked().of_objects == 1; });
  test::SlowFile slow(marker() + ".next");
  ASSERT_TRUE(slow.made());
  ASSERT_TRUE(apply("us"));
  std::thread disk([&] { slow.let_go(); });
  stop();
  disk.join();
  EXPECT_EQ(marked().of_objects, 1U);
  start();
  EXPECT_EQ(persistence_->kept(), Persistence::Kept::Kept);
  EXPECT_THAT(clusters(), ElementsAre("eu", "us"));
}

}  // namespace
}  // namespace meshdns::persistence
