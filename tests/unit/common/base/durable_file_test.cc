#include "common/base/durable_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace meshdns {
namespace {

namespace fs = std::filesystem;

class DurableFileTest : public testing::Test {
 protected:
  DurableFileTest() : umask_(::umask(0022)) {
    std::string pattern = (fs::temp_directory_path() / "meshdns-file-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DurableFileTest() override {
    fs::remove_all(folder_);
    ::umask(umask_);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static unsigned mode(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
  }

  mode_t umask_;
  fs::path folder_;
};

TEST_F(DurableFileTest, a_file_has_the_content_and_the_mode) {
  ASSERT_TRUE(replace_file(path("a"), "one"));
  EXPECT_EQ(content(path("a")), "one");
  EXPECT_EQ(mode(path("a")), 0600U);
  ASSERT_TRUE(put_file(path("a"), "two", 0644));
  EXPECT_EQ(content(path("a")), "two");
  EXPECT_EQ(mode(path("a")), 0644U);
  EXPECT_FALSE(fs::exists(path("a.next")));
}

// Otherwise a key would go where somebody's link leads, or into a file that others can read.
TEST_F(DurableFileTest, what_is_in_the_way_is_not_used) {
  ASSERT_TRUE(replace_file(path("other"), "other"));
  fs::create_symlink(path("other"), path("a.next"));
  ASSERT_TRUE(put_file(path("a"), "secret", 0600));
  EXPECT_EQ(content(path("other")), "other");
  EXPECT_FALSE(fs::is_symlink(path("a")));
  std::ofstream(path("b.next")) << "half";
  ::chmod(path("b.next").c_str(), 0666);
  ASSERT_TRUE(put_file(path("b"), "secret", 0600));
  EXPECT_EQ(mode(path("b")), 0600U);
}

TEST_F(DurableFileTest, a_failure_leaves_the_file_as_it_is) {
  const auto nowhere = replace_file(path("none/a"), "x");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error(), Error(Code::Unavailable, path("none/a") + ": No such file or directory"));
  fs::create_directory(path("a"));
  EXPECT_FALSE(replace_file(path("a"), "x"));
  EXPECT_FALSE(put_file(path("a"), "x", 0600));
  EXPECT_TRUE(fs::is_directory(path("a")));
  EXPECT_FALSE(fs::exists(path("a.next")));
}

}  // namespace
}  // namespace meshdns
