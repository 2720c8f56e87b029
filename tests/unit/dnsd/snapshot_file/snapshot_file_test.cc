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

constexpr std::size_t kOffsets = 1000;

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

// failures.md A4
TEST_F(SnapshotFileTest, any_damage_leads_to_the_generation_before) {
  const std::uint32_t seed = static_cast<std::uint32_t>(random_seed());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  ASSERT_TRUE(file().save("older", 1));
  ASSERT_TRUE(file().save(std::string(3000, 'x'), 2));
  const std::string whole = read(current());
  const std::string older = read(current() + ".previous");
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
    const std::size_t offset = i < 100 ? i : random() % whole.size();  // all of the head, and places behind it
    SCOPED_TRACE("offset " + std::to_string(offset));
    std::string flipped = whole;
    flipped[offset] ^= static_cast<char>(1U << (random() % 8));
    expect_older(flipped);
    expect_older(whole.substr(0, offset));
  }
}

TEST_F(SnapshotFileTest, a_newer_format_is_refused_clearly_and_left_alone) {
  ASSERT_TRUE(file().save("content", 1));
  std::string newer = read(current());
  newer[8] = 9;
  write(current(), newer);
  const auto loaded = file().load(10);
  EXPECT_FALSE(loaded.content);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_NE(loaded.problems[0].find("of version 9, this program reads version 1"), std::string::npos);
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
