#include "common/authority/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/authority/description.h"
#include "tests/unit/common/authority/verified.h"

namespace meshdns::authority {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

class FolderTest : public testing::Test {
 protected:
  FolderTest() : umask_(::umask(0022)) {
    std::string pattern = (fs::temp_directory_path() / "meshdns-ca-XXXXXX").string();
    parent_ = ::mkdtemp(pattern.data());
    folder_ = parent_ + "/ca";
  }
  ~FolderTest() override {
    fs::remove_all(parent_);
    ::umask(umask_);
  }

  static unsigned mode(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? found.st_mode & 07777U : 0;
  }
  Error problem() const {
    const auto read = read_folder(folder_);
    return read ? Error(Code::Internal, "read") : read.error();
  }

  mode_t umask_;
  std::string parent_, folder_;
  const Authority authority_ = *make_authority("mesh.internal", kNow);
};

TEST_F(FolderTest, what_is_written_is_read_back) {
  ASSERT_TRUE(create_folder(folder_, authority_));
  EXPECT_EQ(mode(folder_), 0700U);
  EXPECT_EQ(mode(folder_ + "/ca.key"), 0600U);
  EXPECT_EQ(mode(folder_ + "/ca.pem"), 0644U);
  const auto read = read_folder(folder_ + "/");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->certificates, authority_.certificates);
  EXPECT_EQ(read->key, authority_.key);
}

TEST_F(FolderTest, an_authority_is_never_overwritten) {
  ASSERT_TRUE(create_folder(folder_, authority_));
  for (const std::string left : {"ca.pem", "ca.key"}) {
    const auto again = create_folder(folder_, *make_authority("mesh.internal", kNow));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Code::AlreadyExists);
    EXPECT_THAT(again.error().message(), HasSubstr("exists: the folder has an authority already"));
    EXPECT_EQ(read_folder(folder_).has_value(), left == "ca.pem");
    fs::remove(folder_ + "/ca.key");  // one of the two files is enough
  }
}

TEST_F(FolderTest, a_folder_that_others_can_read_is_not_used) {
  ASSERT_TRUE(create_folder(folder_, authority_));
  fs::permissions(folder_, static_cast<fs::perms>(0750));
  EXPECT_EQ(problem(), Error(Code::PermissionDenied, folder_ + " is open to others: chmod 0700 " + folder_));
  const std::string open = parent_ + "/open";
  fs::create_directory(open);
  const auto made = create_folder(open, authority_);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), Code::PermissionDenied);
  EXPECT_FALSE(fs::exists(open + "/ca.key"));
}

TEST_F(FolderTest, what_is_missing_is_named) {
  EXPECT_EQ(problem(), Error(Code::NotFound, folder_ + ": there is no authority"));
  fs::create_directory(folder_);
  fs::permissions(folder_, static_cast<fs::perms>(0700));
  EXPECT_EQ(problem(), Error(Code::NotFound, folder_ + ": there is no authority"));
  std::ofstream(folder_ + "/ca.pem") << authority_.certificates;
  EXPECT_EQ(problem(), Error(Code::Unavailable, folder_ + "/ca.key: No such file or directory"));
}

TEST_F(FolderTest, an_exchange_from_start_to_end) {
  ASSERT_TRUE(create_folder(folder_, authority_));
  const auto early = finish_rotation(folder_);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error(), Error(Code::FailedPrecondition, folder_ + ": only one authority is trusted"));
  const auto next = rotated(authority_, kNow);
  ASSERT_TRUE(next);
  ASSERT_TRUE(write_rotated(folder_, authority_, *next));
  EXPECT_EQ(mode(folder_ + "/old.key"), 0600U);
  EXPECT_EQ(read_folder(folder_)->key, next->key);
  EXPECT_EQ(describe(read_folder(folder_)->certificates)->size(), 2U);
  ASSERT_TRUE(finish_rotation(folder_));
  EXPECT_EQ(read_folder(folder_)->certificates, *signing_certificate(*next));
  EXPECT_FALSE(fs::exists(folder_ + "/old.key"));
}

// The new certificate is written first: a crash before the key is written leaves the old authority, which signs.
TEST_F(FolderTest, an_exchange_that_a_crash_has_ended_can_be_given_up) {
  ASSERT_TRUE(create_folder(folder_, authority_));
  std::ofstream(folder_ + "/ca.pem") << rotated(authority_, kNow)->certificates;
  ASSERT_TRUE(finish_rotation(folder_));
  EXPECT_EQ(read_folder(folder_)->certificates, authority_.certificates);
}

}  // namespace
}  // namespace meshdns::authority
