// Snapshots of records, written in blocks and read block by block.
#include "dnsd/snapshot_file/kept_records.h"

#include <gmock/gmock.h>

#include "tests/unit/dnsd/federation/watch_fixture.h"
#include "tests/unit/dnsd/snapshot_file/folder.h"

namespace meshdns::snapshot_file {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

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
  SnapshotFile file() const { return SnapshotFile(folder_.file()); }
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
}  // namespace meshdns::snapshot_file
