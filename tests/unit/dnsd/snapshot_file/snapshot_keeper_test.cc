// Snapshots of records are written in slices while records change, on any disk.
#include "dnsd/snapshot_file/snapshot_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "tests/support/fakes/fake_loop.h"
#include "tests/support/fakes/slow_file.h"
#include "tests/unit/dnsd/snapshot_file/folder.h"

namespace meshdns::snapshot_file {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A keeper on a loop; slices of no length, so that each block is a slice of its own.
class SnapshotKeeperTest : public testing::Test {
 protected:
  SnapshotKeeper::Options options() {
    return {.path = folder_.file(),
            .interval = 1ms,
            .blocks = [this] { return blocks(); },
            .version = [this] { return version_; },
            .slice = 0ns};
  }
  /// "a0b0c0"; the digit is the number of the write
  SnapshotKeeper::Blocks blocks() {
    return [this, write = std::to_string(begun_++), left = std::string("abc")]() mutable -> std::optional<std::string> {
      if (on_block_) on_block_();
      if (left.empty()) return std::nullopt;
      const std::string block = left.substr(0, 1) + write;
      left.erase(0, 1);
      return block;
    };
  }
  std::string kept() const { return snapshot_file::SnapshotFile(folder_.file()).load(0).content.value_or("nothing"); }
  /// Runs the loop until so many writes have ended.
  void run_until(const SnapshotKeeper& keeper, std::uint64_t writes) {
    loop_.run_until([&] { return keeper.writes() >= writes; });
  }

  Folder folder_;
  test::FakeLoop loop_;
  std::uint64_t version_ = 1;
  int begun_ = 0;
  std::function<void()> on_block_;
};

TEST_F(SnapshotKeeperTest, writes_block_by_block_when_something_has_changed) {
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "a0b0c0");
  keeper.save_later();
  keeper.save_later();
  run_until(keeper, 2);
  EXPECT_EQ(kept(), "a1b1c1");
}

TEST_F(SnapshotKeeperTest, begins_anew_when_what_it_writes_is_of_no_use_any_more) {
  int block = 0;
  on_block_ = [&] {
    if (++block == 2) ++version_;
  };
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "a1b1c1");
}

TEST_F(SnapshotKeeperTest, the_end_writes_what_was_put_off) {
  {
    SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
    keeper.save_later();
  }
  EXPECT_EQ(kept(), "a0b0c0");
}

TEST_F(SnapshotKeeperTest, the_end_finishes_what_is_being_written) {
  {
    SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
    on_block_ = [this] { loop_.stop(); };
    keeper.save_later();
    loop_.run();
    EXPECT_EQ(kept(), "nothing") << "it is in the middle";
  }
  EXPECT_EQ(kept(), "a0b0c0");
}

TEST_F(SnapshotKeeperTest, the_end_begins_anew_if_more_has_changed) {
  {
    SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
    on_block_ = [this] { loop_.stop(); };
    keeper.save_later();
    loop_.run();
    keeper.save_later();
  }
  EXPECT_EQ(kept(), "a1b1c1");
}

TEST_F(SnapshotKeeperTest, tries_again_when_the_disk_refuses) {
  fs::create_directories(folder_.file() + ".snapshot.next");
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "nothing");
  fs::remove(folder_.file() + ".snapshot.next");
  loop_.run_until([&] { return kept() != "nothing"; });  // the second write may have begun before
  EXPECT_THAT(kept(), HasSubstr("a"));
  EXPECT_THAT(kept(), HasSubstr("c"));
}

TEST_F(SnapshotKeeperTest, who_has_nothing_to_write_ends_without_a_file) {
  { const SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options()); }
  EXPECT_EQ(kept(), "nothing");
}

TEST_F(SnapshotKeeperTest, the_end_beside_a_disk_that_refuses_leaves_what_was_written_before) {
  {
    SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
    keeper.save_later();
    run_until(keeper, 1);
    fs::create_directories(folder_.file() + ".snapshot.next");
    on_block_ = [this] { loop_.stop(); };
    keeper.save_later();
    loop_.run();
  }
  EXPECT_EQ(kept(), "a0b0c0");
}

// Guards against a snapshot that a slow disk makes pile up in memory.
TEST_F(SnapshotKeeperTest, a_slow_disk_gets_one_slice_and_is_tried_again_when_it_fails) {
  test::SlowFile file(folder_.file() + ".snapshot.next");
  ASSERT_TRUE(file.made());
  int blocks = 0;
  on_block_ = [&] { ++blocks; };
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
  keeper.save_later();
  loop_.run_until([&] { return blocks > 0; });
  keeper.save_later();
  loop_.run_for(1s);
  EXPECT_EQ(blocks, 1) << "nothing more is asked for, and no other write begins";
  EXPECT_EQ(keeper.writes(), 0U);
  file.let_go();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "nothing") << "it could not be made durable";
  run_until(keeper, 2);
  EXPECT_EQ(kept(), "a1b1c1");
}

TEST_F(SnapshotKeeperTest, a_costly_write_is_rarer) {
  TimePoint first_end{};
  TimePoint second_begin{};
  on_block_ = [&] {
    if (begun_ == 1) {  // a write that costs 5 ms or more
      loop_.take(5ms);
      first_end = loop_.now();
    } else if (second_begin == TimePoint{}) {
      second_begin = loop_.now();
    }
  };
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), options());
  keeper.save_later();
  run_until(keeper, 1);
  keeper.save_later();
  run_until(keeper, 2);
  EXPECT_GE(second_begin - first_end, 4 * SnapshotKeeper::kLeisure * 5ms);
}

// ---- with compiled answers ----

class KeptWithAnswersTest : public SnapshotKeeperTest {
 protected:
  SnapshotKeeper::Options with_answers() {
    SnapshotKeeper::Options out = options();
    out.answers = [this] { return answers_ ? std::make_shared<publish::PinnedTable>(table_) : nullptr; };
    out.keep_answers = [this](const answers::AnswerTable&, std::uint64_t) {
      on_answers_();
      ++kept_answers_;
    };
    return out;
  }

  bool answers_ = true;
  Quiescent<answers::AnswerTable> table_{std::make_shared<const answers::AnswerTable>()};
  std::function<void()> on_answers_ = [] {};  // on the writer's thread
  std::atomic<int> kept_answers_ = 0;
};

TEST_F(KeptWithAnswersTest, answers_go_with_each_write) {
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), with_answers());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept_answers_, 1);
}

TEST_F(KeptWithAnswersTest, a_write_without_its_answers_is_made_again) {
  answers_ = false;
  SnapshotKeeper keeper(loop_, loop_, loop_.poster(), with_answers());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "a0b0c0");
  EXPECT_EQ(kept_answers_, 0);
  answers_ = true;
  loop_.run_until([&] { return kept_answers_ > 0; });
  EXPECT_GT(begun_, 1);
}

TEST_F(KeptWithAnswersTest, the_end_waits_for_the_answers) {
  std::promise<void> go;
  on_answers_ = [&] { go.get_future().wait(); };
  std::thread disk;
  {
    SnapshotKeeper keeper(loop_, loop_, loop_.poster(), with_answers());
    keeper.save_later();
    loop_.run_for(1s);
    EXPECT_EQ(keeper.writes(), 0U);
    EXPECT_EQ(kept_answers_, 0);
    disk = std::thread([&] { go.set_value(); });
  }
  disk.join();
  EXPECT_EQ(kept_answers_, 1);
  EXPECT_EQ(kept(), "a0b0c0");
}

}  // namespace
}  // namespace meshdns::snapshot_file
