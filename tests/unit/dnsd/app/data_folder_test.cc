#include "dnsd/app/data_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace meshdns::dnsd::app {
namespace {

namespace fs = std::filesystem;

class DataFolderTest : public testing::Test {
 protected:
  DataFolderTest() {
    std::string pattern = (fs::temp_directory_path() / "meshdns-data-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DataFolderTest() override { fs::remove_all(folder_); }

  void file(const char* name, mode_t mode) {
    std::ofstream(folder_ / name) << "x";
    ::chmod((folder_ / name).c_str(), mode);
  }
  unsigned mode_of(const char* name) const {
    struct stat found {};
    return ::stat((folder_ / name).c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
  }
  std::string guard() {
    testing::internal::CaptureStderr();
    guard_data_folder(folder_.string());
    return testing::internal::GetCapturedStderr();
  }

  fs::path folder_;
};

TEST_F(DataFolderTest, StateFilesAreTakenFromOthers) {
  for (const char* name : {"federation.db", "federation.db-wal", "federation.db.state", "federation.snapshot",
                           "replica.snapshot.previous", "answers.snapshot", "local-overrides.snapshot"}) {
    file(name, 0644);
  }
  const std::string log = guard();
  for (const char* name : {"federation.db", "federation.db-wal", "federation.db.state", "federation.snapshot",
                           "replica.snapshot.previous", "answers.snapshot", "local-overrides.snapshot"}) {
    EXPECT_EQ(mode_of(name), 0600U) << name;
    EXPECT_NE(log.find(std::string(name) + " mode=0600"), std::string::npos) << log;
  }
  EXPECT_EQ(guard(), "") << "the second time there is nothing to do";
}

TEST_F(DataFolderTest, OtherFilesStayAsTheyAre) {
  file("notes.txt", 0644);
  file("federations.txt", 0644);
  file("federation.db", 0400);
  fs::create_symlink(folder_ / "notes.txt", folder_ / "replica.snapshot");
  EXPECT_EQ(guard(), "");
  EXPECT_EQ(mode_of("notes.txt"), 0644U) << "not through a link, too";
  EXPECT_EQ(mode_of("federations.txt"), 0644U);
  EXPECT_EQ(mode_of("federation.db"), 0400U);
}

TEST_F(DataFolderTest, AFolderThatIsOpenToOthersIsWarnedAbout) {
  ::chmod(folder_.c_str(), 0750);
  const std::string log = guard();
  EXPECT_NE(log.find("data_dir is open to others"), std::string::npos) << log;
  EXPECT_NE(log.find("mode=0750"), std::string::npos) << log;
  struct stat found {};
  ASSERT_EQ(::stat(folder_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0750U) << "an operator has made it so";
}

TEST_F(DataFolderTest, AFolderThatIsNotThereIsNoneOfItsBusiness) {
  fs::remove_all(folder_);
  EXPECT_EQ(guard(), "");
  EXPECT_FALSE(fs::exists(folder_));
}

}  // namespace
}  // namespace meshdns::dnsd::app
