#include "common/base/private_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/runtime_dir.h"

namespace meshdns {
namespace {

namespace fs = std::filesystem;

unsigned mode_of(const fs::path& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
}

class PrivateFolderTest : public testing::Test {
 protected:
  PrivateFolderTest() : umask_(::umask(0022)) {
    std::string pattern = (fs::temp_directory_path() / "meshdns-folder-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~PrivateFolderTest() override {
    fs::remove_all(folder_);
    ::umask(umask_);
  }

  mode_t umask_;
  fs::path folder_;
};

TEST_F(PrivateFolderTest, IsMadeForItsOwnerAlone) {
  const fs::path path = folder_ / "a/b";
  ASSERT_TRUE(make_private_folder(path.string()));
  EXPECT_EQ(mode_of(path), 0700U);
  EXPECT_EQ(untrusted(path.string()), "");
  ASSERT_TRUE(make_private_folder((folder_ / "c/").string()));
  EXPECT_EQ(mode_of(folder_ / "c"), 0700U) << "with a slash at the end";
}

TEST_F(PrivateFolderTest, OneThatIsThereStaysAsItIs) {
  ::chmod(folder_.c_str(), 0755);
  ASSERT_TRUE(make_private_folder(folder_.string()));
  EXPECT_EQ(mode_of(folder_), 0755U);
  EXPECT_NE(untrusted(folder_.string()).find("open to others"), std::string::npos);
}

TEST_F(PrivateFolderTest, LinksAndFilesAreNoFoldersOfOnesOwn) {
  fs::create_symlink(folder_, folder_ / "link");
  EXPECT_NE(untrusted((folder_ / "link").string()), "");
  EXPECT_NE(untrusted((folder_ / "none").string()), "");
  const auto made = make_private_folder((folder_ / "link/../link/x").string());
  EXPECT_TRUE(made) << "only the folder itself must be one's own";
}

// With --dev the sockets were in the temporary folder, where another user could be first.
TEST_F(PrivateFolderTest, ADaemonForDevelopmentHasAFolderOfItsOwn) {
  ::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1);
  EXPECT_EQ(dev_folder(), folder_.string() + "/meshdns-dev");
  ASSERT_TRUE(own_dev_folder());
  EXPECT_EQ(mode_of(dev_folder()), 0700U);
  EXPECT_TRUE(own_dev_folder()) << "the second time";
  ::chmod(dev_folder().c_str(), 0777);
  const auto opened = own_dev_folder();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code(), Code::FailedPrecondition);
  ::unsetenv("XDG_RUNTIME_DIR");
  EXPECT_NE(dev_folder().find("/meshdns-dev-" + std::to_string(::geteuid())), std::string::npos);
}

}  // namespace
}  // namespace meshdns
