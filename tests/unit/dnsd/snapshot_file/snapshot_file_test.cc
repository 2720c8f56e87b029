#include "dnsd/snapshot_file/snapshot_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "common/base/random_seed.h"

namespace meshdns::snapshot_file {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kOffsets = 400;
constexpr std::size_t kEnds = 50;  // bytes of the head and of the end

class SnapshotFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "snapshot-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  SnapshotFile file() const { return SnapshotFile(folder_ + "/state/replica"); }
  std::string current() const { return folder_ + "/state/replica.snapshot"; }
  static std::string read(const std::string& path) {
    std::ostringstream out;
    out << std::ifstream(path, std::ios::binary).rdbuf();
    return out.str();
  }
  static void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  static void put_number(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  }
  /// Of 1000 s after 1970.
  static std::string first_version(const std::string& content) {
    std::string out = "MDNSSNAP";
    put_number(out, 1, 4);
    put_number(out, 1000, 8);
    put_number(out, content.size(), 8);
    put_number(out, digest(out + content), 8);
    return out + content;
  }
  /// Each byte of the head and of the end, and places between, is damaged or is where the file is cut off.
  void expect_older_for_any_damage(const std::string& whole, const std::string& older) const {
    const std::uint32_t seed = static_cast<std::uint32_t>(random_seed());
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto expect_older = [&](const std::string& damaged) {
      write(current(), damaged);
      write(current() + ".previous", older);
      fs::remove(current() + ".bad");
      const auto loaded = file().load(10);
      ASSERT_EQ(loaded.content, "older");
      ASSERT_EQ(loaded.problems.size(), 1U);
      // what claims to be of a newer version is that version's to judge
      const bool of_a_newer_version = loaded.problems[0].find("of version") != std::string::npos;
      ASSERT_NE(fs::exists(current() + ".bad"), of_a_newer_version) << loaded.problems[0];
    };
    for (std::size_t i = 0; i < kOffsets; ++i) {
      std::size_t offset = random() % whole.size();
      if (i < 2 * kEnds) offset = i < kEnds ? i : whole.size() - 1 - (i - kEnds);
      SCOPED_TRACE("offset " + std::to_string(offset));
      std::string flipped = whole;
      flipped[offset] ^= static_cast<char>(1U << (random() % 8));
      expect_older(flipped);
      expect_older(whole.substr(0, offset));
    }
  }

  std::string folder_;
};

TEST_F(SnapshotFileTest, gives_back_what_was_saved_and_its_age) {
  ASSERT_TRUE(file().save("content", 1000));
  const auto loaded = file().load(1090);
  EXPECT_EQ(loaded.content, "content");
  EXPECT_EQ(loaded.age, Duration(90s));
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_EQ(file().load(10).age, Duration::zero());
}

TEST_F(SnapshotFileTest, nothing_there_is_nothing) {
  EXPECT_FALSE(file().load(0).content);
  EXPECT_TRUE(file().load(0).problems.empty());
}

// What a program of before wrote: length and checksum stand in the head.
TEST_F(SnapshotFileTest, reads_files_of_the_first_version) {
  fs::create_directories(folder_ + "/state");
  write(current(), first_version("content"));
  EXPECT_TRUE(file().checksum());
  const auto loaded = file().load(1090);
  EXPECT_EQ(loaded.content, "content");
  EXPECT_EQ(loaded.age, Duration(90s));
  ASSERT_TRUE(file().save("newer", 2000));
  EXPECT_EQ(file().load(2000).content, "newer");
  EXPECT_EQ(read(current() + ".previous"), first_version("content"));
}

TEST_F(SnapshotFileTest, is_written_and_read_block_by_block) {
  auto writer = file().write(1000);
  ASSERT_TRUE(writer);
  ASSERT_TRUE(writer->append("con"));
  ASSERT_TRUE(writer->append(""));
  EXPECT_FALSE(file().checksum()) << "it is not there before it is whole";
  ASSERT_TRUE(writer->append("tent"));
  const auto checksum = writer->finish();
  ASSERT_TRUE(checksum);
  EXPECT_EQ(file().checksum(), *checksum);
  auto opened = file().open(1000);
  ASSERT_TRUE(opened.content);
  EXPECT_EQ(opened.content->left(), 7U);
  std::string out;
  EXPECT_TRUE(opened.content->read(out, 4));
  EXPECT_EQ(out, "cont");
  EXPECT_TRUE(opened.content->read(out, 100));
  EXPECT_EQ(out, "content");
  EXPECT_FALSE(opened.content->read(out, 100));
}

// A process that is killed in the middle leaves the unfinished file; one that gives up takes it away.
TEST_F(SnapshotFileTest, a_write_that_ends_in_the_middle_changes_nothing) {
  ASSERT_TRUE(file().save("older", 1));
  const std::string older = read(current());
  {
    auto writer = file().write(2);
    ASSERT_TRUE(writer);
    ASSERT_TRUE(writer->append("half"));
    EXPECT_EQ(file().load(2).content, "older");
    fs::copy_file(current() + ".next", current() + ".killed");
  }
  EXPECT_FALSE(fs::exists(current() + ".next"));
  fs::rename(current() + ".killed", current() + ".next");
  EXPECT_EQ(file().load(2).content, "older");
  ASSERT_TRUE(file().save("new", 3));
  EXPECT_EQ(file().load(3).content, "new");
  EXPECT_EQ(read(current() + ".previous"), older);
}

TEST_F(SnapshotFileTest, a_file_that_cannot_take_its_place_leaves_the_current_one) {
  ASSERT_TRUE(file().save("older", 1));
  auto writer = file().write(2);
  ASSERT_TRUE(writer && writer->append("lost"));
  fs::remove(current() + ".next");
  EXPECT_FALSE(writer->finish());
  EXPECT_EQ(file().load(2).content, "older");
  EXPECT_TRUE(fs::exists(current())) << "where its checksum is read";
}

// docs/failures.md A4
TEST_F(SnapshotFileTest, any_damage_leads_to_the_generation_before) {
  ASSERT_TRUE(file().save("older", 1));
  ASSERT_TRUE(file().save(std::string(3000, 'x'), 2));
  expect_older_for_any_damage(read(current()), read(current() + ".previous"));
}

TEST_F(SnapshotFileTest, so_does_any_damage_of_a_file_of_the_first_version) {
  ASSERT_TRUE(file().save("older", 1));
  expect_older_for_any_damage(first_version(std::string(3000, 'x')), read(current()));
}

TEST_F(SnapshotFileTest, a_newer_format_is_refused_clearly_and_left_alone) {
  ASSERT_TRUE(file().save("content", 1));
  std::string newer = read(current());
  newer[8] = 9;
  write(current(), newer);
  const auto loaded = file().load(10);
  EXPECT_FALSE(loaded.content);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_NE(loaded.problems[0].find("of version 9, this program reads versions 1 and 2"), std::string::npos);
  EXPECT_EQ(read(current()), newer);
}

TEST_F(SnapshotFileTest, what_cannot_be_written_is_said_and_the_old_stays) {
  ASSERT_TRUE(file().save("content", 1));
  fs::create_directory(current() + ".next");
  const auto saved = file().save("newer", 2);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code(), Code::Unavailable);
  EXPECT_EQ(file().load(2).content, "content");
}

}  // namespace
}  // namespace meshdns::snapshot_file
