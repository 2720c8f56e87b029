#include "agent/probes/owner_rule.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace meshdns::probes {
namespace {

namespace fs = std::filesystem;

struct stat found_of(uid_t owner, mode_t mode) {
  struct stat out {};
  out.st_uid = owner;
  out.st_mode = mode;
  return out;
}

TEST(OwnerRule, only_root_may_write) {
  EXPECT_EQ(only_root_writes("/opt/x", found_of(0, S_IFREG | 0755)), "");
  EXPECT_EQ(only_root_writes("/opt/x", found_of(0, S_IFREG | 0500)), "");
  EXPECT_EQ(only_root_writes("/opt/x", found_of(7, S_IFREG | 0755)), "/opt/x belongs to user 7, not to root");
  EXPECT_EQ(only_root_writes("/opt/x", found_of(0, S_IFREG | 0775)), "/opt/x is writable by its group");
  EXPECT_EQ(only_root_writes("/opt/x", found_of(0, S_IFREG | 0757)), "/opt/x is writable by everybody");
  EXPECT_EQ(only_root_writes("/tmp", found_of(0, S_IFDIR | 01777)), "/tmp is writable by everybody");
}

/// A folder with a program; the rule refuses what a test says, and keeps what it was asked.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    fs::create_directories(folder_.path("bin"));
    write("bin/check", 0755);
  }

  void write(const std::string& name, mode_t mode) {
    std::ofstream(folder_.path(name)) << "#!/bin/sh\n";
    ::chmod(folder_.path(name).c_str(), mode);
  }

  std::string problem(const std::string& path) {
    asked_.clear();
    return program_problem(path, [this](const std::string& at, const struct stat&) {
      asked_.push_back(at);
      return at == refused_ ? at + " is refused" : std::string();
    });
  }

  bool was_asked(const std::string& path) const {
    return std::find(asked_.begin(), asked_.end(), path) != asked_.end();
  }

  test::TemporaryFolder folder_;
  std::string refused_;
  std::vector<std::string> asked_;
};

TEST_F(ProgramTest, every_folder_is_judged) {
  EXPECT_EQ(problem(folder_.path("bin/check")), "");
  EXPECT_EQ(asked_.front(), "/");
  EXPECT_EQ(asked_.back(), folder_.path("bin/check"));
  for (const std::string& wanted : {folder_.path(), folder_.path("bin")}) EXPECT_TRUE(was_asked(wanted)) << wanted;
  for (const std::string& refused :
       {std::string("/"), folder_.path(), folder_.path("bin"), folder_.path("bin/check")}) {
    refused_ = refused;
    EXPECT_EQ(problem(folder_.path("bin/check")), refused + " is refused");
  }
}

TEST_F(ProgramTest, links_are_followed_through_all_their_folders) {
  fs::create_directories(folder_.path("open"));
  fs::create_symlink("../open/second", folder_.path("bin/first"));
  fs::create_symlink(folder_.path("bin/check"), folder_.path("open/second"));
  EXPECT_EQ(problem(folder_.path("bin/first")), "");
  refused_ = folder_.path("open");
  EXPECT_EQ(problem(folder_.path("bin/first")), folder_.path("open") + " is refused");
  // the link itself has permissions 0777 and means nothing
  refused_ = folder_.path("bin/first");
  EXPECT_EQ(problem(folder_.path("bin/first")), "");
}

TEST_F(ProgramTest, a_link_may_lead_to_a_folder) {
  fs::create_directory_symlink("bin", folder_.path("sbin"));
  EXPECT_EQ(problem(folder_.path("sbin/check")), "");
  EXPECT_EQ(problem(folder_.path("sbin/../bin/./check")), "");
}

TEST_F(ProgramTest, links_in_a_circle_end) {
  fs::create_symlink("b", folder_.path("a"));
  fs::create_symlink("a", folder_.path("b"));
  EXPECT_TRUE(problem(folder_.path("a")).ends_with("too many symbolic links"));
}

TEST_F(ProgramTest, it_has_to_be_a_program) {
  write("bin/text", 0644);
  EXPECT_EQ(problem(folder_.path("bin/text")), folder_.path("bin/text") + " is not executable");
  EXPECT_EQ(problem(folder_.path("bin")), folder_.path("bin") + " is not a file");
  EXPECT_EQ(problem(folder_.path("bin/none")), folder_.path("bin/none") + ": No such file or directory");
  EXPECT_EQ(problem(folder_.path("bin/text/x")), folder_.path("bin/text/x") + ": Not a directory");
  EXPECT_EQ(problem("bin/check"), "bin/check is not an absolute path");
}

}  // namespace
}  // namespace meshdns::probes
