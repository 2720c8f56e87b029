// Compiled answers of one run and what the next one makes of them.
#include "dnsd/snapshot_file/warm_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "dnsd/catalog/catalog.h"
#include "tests/support/fakes/fake_loop.h"
#include "tests/support/fakes/slow_file.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/catalog/sample.h"
#include "tests/unit/dnsd/snapshot_file/folder.h"

namespace meshdns::snapshot_file {
namespace {

namespace fs = std::filesystem;
using Outcome = KeptAnswers::Outcome;
using Records = WarmStart::Records;

/// One life of a process whose records come from an endpoints file.
class Life {
 public:
  Life(test::FakeLoop& loop, WarmStart::Options options)
      : publisher_(catalog_, loop, loop, loop.poster()), warm_(std::move(options), publisher_, loop, loop) {
    answers::AnswerSettings settings;
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    publisher_.hold();
    publisher_.configure(settings, {});
  }

  /// The records are read.
  void fill(TimePoint now) {
    EXPECT_FALSE(catalog_.put_node(catalog::node(), now));
    change("1", now);
    publisher_.release();
    publisher_.flush();
  }
  void change(const std::string& number, TimePoint now) {
    EXPECT_TRUE(catalog_.apply_delta("eu-1/n1", {catalog::endpoint("eu-1/n1", number)}, {}, now).empty());
    publisher_.changed();
  }
  bool answers() {
    return publisher_.with_table([](const answers::AnswerTable* table) {
      const auto name = test::must(wire::parse_name("web.shop.mesh.internal"));
      return table != nullptr && table->find(name, wire::hash_name(name)).host != nullptr;
    });
  }
  publish::Publisher& publisher() { return publisher_; }
  WarmStart& warm() { return warm_; }

 private:
  catalog::Catalog catalog_;
  publish::Publisher publisher_;
  WarmStart warm_;
};

class WarmStartTest : public testing::Test {
 protected:
  WarmStart::Options options(Records records = Records::EndpointsFile) {
    return {.folder = folder_.path(),
            .records = records,
            .configured = [this] { return configured_; },
            .stale_after = [] { return Duration(2s); }};
  }
  std::string file() const { return folder_.path() + "/" + KeptAnswers::kFile + ".snapshot"; }
  /// A run that keeps its answers.
  void keep() {
    Life run(loop_, options());
    run.fill(loop_.now());
    run.warm().keep_later();
    loop_.run_for(3s);
  }
  /// What the next run makes of them.
  Outcome outcome(Records records = Records::EndpointsFile) {
    Life run(loop_, options(records));
    const bool taken = run.warm().take("");
    EXPECT_EQ(taken, run.answers());
    return run.warm().outcome();
  }

  Folder folder_;
  test::FakeLoop loop_;
  WarmStart::Configured configured_{.answers = 1, .endpoints_file = 2};
};

TEST_F(WarmStartTest, NothingIsTakenWhereNothingWasKept) { EXPECT_EQ(outcome(), Outcome::Missing); }

TEST_F(WarmStartTest, AnswersWithWhatTheLastRunCompiled) {
  keep();
  EXPECT_EQ(outcome(), Outcome::Taken);
}

TEST_F(WarmStartTest, AnotherConfigurationIsAnsweredByOtherTables) {
  keep();
  configured_.answers = 3;
  EXPECT_EQ(outcome(), Outcome::Other);
  configured_ = {.answers = 1, .endpoints_file = 3};
  EXPECT_EQ(outcome(), Outcome::Other);
  configured_.endpoints_file = 0;
  EXPECT_EQ(outcome(), Outcome::Missing) << "without an endpoints file nothing is looked for";
}

TEST_F(WarmStartTest, AFederationKeepsNothingAndTakesNothing) {
  keep();
  EXPECT_EQ(outcome(Records::Store), Outcome::Missing);
  fs::remove(file());
  {
    Life run(loop_, options(Records::Store));
    run.fill(loop_.now());
    run.warm().keep_later();
    loop_.run_for(3s);
  }
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(WarmStartTest, ADamagedFileIsPutAside) {
  keep();
  std::ofstream(file(), std::ios::binary | std::ios::trunc) << "no table at all";
  EXPECT_EQ(outcome(), Outcome::Damaged);
  keep();
  EXPECT_EQ(outcome(), Outcome::Taken);
}

// ---- when it writes ----

TEST_F(WarmStartTest, WhatWasTakenIsNotWrittenAgainBeforeTheConfigurationIsAnother) {
  keep();
  Life run(loop_, options());
  ASSERT_TRUE(run.warm().take(""));
  run.fill(loop_.now());
  fs::remove(file());
  run.warm().keep_later();
  loop_.run_for(3s);
  EXPECT_FALSE(fs::exists(file()));
  configured_.endpoints_file = 3;
  run.warm().keep_later();
  loop_.run_until([&] { return fs::exists(file()); });
  EXPECT_EQ(outcome(), Outcome::Taken);
}

TEST_F(WarmStartTest, TheEndBeforeItsTimeWritesNothing) {
  {
    Life run(loop_, options());
    run.fill(loop_.now());
    run.warm().keep_later();
  }
  loop_.run_for(3s);
  EXPECT_FALSE(fs::exists(file()));
}

TEST_F(WarmStartTest, ATableThatIsBeingCompiledIsWaitedFor) {
  Life run(loop_, options());
  run.fill(loop_.now());
  run.warm().keep_later();
  loop_.after(WarmStart::kDelay - 1ms, [&] { run.publisher().hold(); });
  loop_.after(WarmStart::kDelay - 1ms, [&] { run.change("2", loop_.now()); });
  loop_.run_for(3s);
  EXPECT_FALSE(fs::exists(file())) << "the published table is not of the records that there are";
  run.publisher().release();
  loop_.run_until([&] { return fs::exists(file()); });
  EXPECT_EQ(outcome(), Outcome::Taken);
}

// ---- disks ----

TEST_F(WarmStartTest, ASlowDiskDelaysNobodyAndAFailingOneLeavesWhatWasThere) {
  keep();
  configured_.answers = 3;
  test::SlowFile slow(file() + ".next");
  ASSERT_TRUE(slow.made());
  {
    Life run(loop_, options());
    run.fill(loop_.now());
    run.warm().keep_later();
    loop_.run_for(3s);
    run.change("2", loop_.now());
    run.publisher().flush();
    EXPECT_TRUE(run.answers());
    slow.let_go();
  }
  EXPECT_EQ(outcome(), Outcome::Other) << "the one before";
  configured_.answers = 1;
  EXPECT_EQ(outcome(), Outcome::Taken);
}

// ---- a replica's, which go with its snapshots ----

TEST_F(WarmStartTest, TheAnswersOfASnapshotAreThoseOfNoOther) {
  configured_.endpoints_file = 0;
  const SnapshotFile snapshot(folder_.file());
  ASSERT_TRUE(snapshot.save("records", loop_.unix_seconds()));
  {
    Life run(loop_, options(Records::Snapshot));
    run.fill(loop_.now());
    run.warm().keep(*run.publisher().table().get(), *snapshot.checksum());
  }
  {
    Life run(loop_, options(Records::Snapshot));
    EXPECT_TRUE(run.warm().take(folder_.file()));
    EXPECT_TRUE(run.answers());
    EXPECT_FALSE(run.publisher().with_table([](const answers::AnswerTable* table) { return table->stale; }));
  }
  loop_.run_for(4s);
  {
    Life run(loop_, options(Records::Snapshot));
    EXPECT_TRUE(run.warm().take(folder_.file()));
    EXPECT_TRUE(run.publisher().with_table([](const answers::AnswerTable* table) { return table->stale; }));
  }
  ASSERT_TRUE(snapshot.save("other records", loop_.unix_seconds()));
  Life run(loop_, options(Records::Snapshot));
  EXPECT_FALSE(run.warm().take(folder_.file()));
  EXPECT_EQ(run.warm().outcome(), Outcome::Other);
}

}  // namespace
}  // namespace meshdns::snapshot_file
