// Snapshots of records: written in slices while records change, read block by block.
#include "dnsd/app/snapshot_keeper.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/time/system_clock.h"
#include "dnsd/app/kept_records.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

/// A folder of its own.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "keeper-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }
  std::string file() const { return path_ + "/replica"; }

 private:
  std::string path_;
};

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
    std::function<void()> look = [&] {
      if (keeper.writes() >= writes) return loop_.stop();
      loop_.after(1ms, look);
    };
    look();
    loop_.run();
    loop_.restart();
  }

  Folder folder_;
  SystemClock clock_;
  process::EventLoop loop_;
  std::uint64_t version_ = 1;
  int begun_ = 0;
  std::function<void()> on_block_;
};

TEST_F(SnapshotKeeperTest, writes_block_by_block_when_something_has_changed) {
  SnapshotKeeper keeper(loop_, clock_, options());
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
  SnapshotKeeper keeper(loop_, clock_, options());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "a1b1c1");
}

TEST_F(SnapshotKeeperTest, the_end_writes_what_was_put_off) {
  {
    SnapshotKeeper keeper(loop_, clock_, options());
    keeper.save_later();
  }
  EXPECT_EQ(kept(), "a0b0c0");
}

TEST_F(SnapshotKeeperTest, the_end_finishes_what_is_being_written) {
  {
    SnapshotKeeper keeper(loop_, clock_, options());
    on_block_ = [this] { loop_.stop(); };
    keeper.save_later();
    loop_.run();
    EXPECT_EQ(kept(), "nothing") << "it is in the middle";
  }
  EXPECT_EQ(kept(), "a0b0c0");
}

TEST_F(SnapshotKeeperTest, the_end_begins_anew_if_more_has_changed) {
  {
    SnapshotKeeper keeper(loop_, clock_, options());
    on_block_ = [this] { loop_.stop(); };
    keeper.save_later();
    loop_.run();
    keeper.save_later();
  }
  EXPECT_EQ(kept(), "a1b1c1");
}

TEST_F(SnapshotKeeperTest, tries_again_when_the_disk_refuses) {
  fs::create_directories(folder_.file() + ".snapshot.next");
  SnapshotKeeper keeper(loop_, clock_, options());
  keeper.save_later();
  run_until(keeper, 1);
  EXPECT_EQ(kept(), "nothing");
  fs::remove(folder_.file() + ".snapshot.next");
  run_until(keeper, 2);
  EXPECT_THAT(kept(), HasSubstr("a"));
  EXPECT_THAT(kept(), HasSubstr("c"));
}

TEST_F(SnapshotKeeperTest, a_costly_write_is_rarer) {
  TimePoint first_end{};
  TimePoint second_begin{};
  on_block_ = [&] {
    if (begun_ == 1) {  // a write that costs 5 ms or more
      const TimePoint start = clock_.now();
      while (clock_.now() - start < 5ms) continue;
      first_end = clock_.now();
    } else if (second_begin == TimePoint{}) {
      second_begin = clock_.now();
    }
  };
  SnapshotKeeper keeper(loop_, clock_, options());
  keeper.save_later();
  run_until(keeper, 1);
  keeper.save_later();
  run_until(keeper, 2);
  EXPECT_GE(second_begin - first_end, 4 * SnapshotKeeper::kLeisure * 5ms);
}

// ---- records, by blocks of each size ----

class KeptRecordsTest : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    federation_.catalog.put_node(catalog::node(), clock_.now());
    federation_.report(20);
    federation_.put_destination("web", 80);
    federation_.feed().update();
    ASSERT_TRUE(subscriber_.mirror.apply(
        federation::reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()).batch(), clock_.now()));
  }
  snapshot_file::SnapshotFile file() const { return snapshot_file::SnapshotFile(folder_.file()); }
  Result<std::size_t> restore(federation::Subscriber& into) {
    auto found = open_snapshot(folder_.file(), 0);
    if (!found.newest) return Error(Code::NotFound, "nothing");
    return restore_records(BlockReader(found.newest->content, GetParam()), into.mirror, clock_.now());
  }

  Folder folder_;
  SimClock clock_;
  federation::Federation federation_{clock_};
  federation::Subscriber subscriber_{clock_};
};
INSTANTIATE_TEST_SUITE_P(Bytes, KeptRecordsTest, testing::Values(1, 100, BlockReader::kBlockBytes));

TEST_P(KeptRecordsTest, what_was_written_in_blocks_is_read_in_blocks) {
  for (const std::size_t lines : {1U, 3U, 1000U}) {
    auto writer = file().write(0);
    ASSERT_TRUE(writer);
    const auto blocks = subscriber_.mirror.blocks(clock_.now(), lines);
    while (const auto block = blocks()) ASSERT_TRUE(writer->append(*block));
    ASSERT_TRUE(writer->finish());
    federation::Subscriber restarted(clock_);
    const auto restored = restore(restarted);
    ASSERT_TRUE(restored);
    EXPECT_EQ(*restored, federation_.feed().size());
    federation::expect_follows(federation_, restarted);
    EXPECT_EQ(restarted.objects, subscriber_.objects);
  }
}

// A program of before wrote one message, in which some fields of the head come after the records.
TEST_P(KeptRecordsTest, reads_a_batch_in_one_piece) {
  v1::Batch whole = federation::kept_of(subscriber_.mirror, clock_.now());
  whole.set_additive(true);
  whole.set_serial(77);
  ASSERT_TRUE(file().save(whole.SerializeAsString(), 0));
  federation::Subscriber restarted(clock_);
  ASSERT_TRUE(restore(restarted));
  EXPECT_TRUE(restarted.mirror.additive());
  EXPECT_EQ(restarted.catalog.serial(), 77U);
  EXPECT_THAT(restarted.keys(), SizeIs(20));
}

TEST_P(KeptRecordsTest, what_is_no_batch_leaves_a_mirror_that_holds_nothing) {
  const std::string good = federation::kept_of(subscriber_.mirror, clock_.now()).SerializeAsString();
  for (const std::string& bad :
       {good + "\x0b", good + "\x4a\x7f", good.substr(0, good.size() - 1) + "\xff", std::string("no batch at all")}) {
    ASSERT_TRUE(file().save(bad, 0));
    federation::Subscriber restarted(clock_);
    const auto restored = restore(restarted);
    ASSERT_FALSE(restored);
    EXPECT_THAT(restored.error().message(), HasSubstr("no batch"));
    EXPECT_TRUE(restarted.mirror.empty());
    ASSERT_TRUE(restarted.mirror.apply(
        federation::reply_of(federation_.feed().snapshot(clock_.now()), clock_.now()).batch(), clock_.now()));
    federation::expect_follows(federation_, restarted);
  }
}

}  // namespace
}  // namespace meshdns::app
