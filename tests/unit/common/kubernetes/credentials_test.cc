#include "common/kubernetes/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace meshdns::kubernetes {
namespace {

using testing::HasSubstr;

class CredentialsTest : public testing::Test {
 protected:
  void SetUp() override {
    write("ca.crt", "the authority");
    write("token", "abc\n");
  }

  std::string path(const std::string& name) const { return folder_.path(name); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }
  Credentials made() const { return {path("ca.crt"), path("token")}; }

  meshdns::test::TemporaryFolder folder_;
  TimePoint now_{1h};
};

TEST_F(CredentialsTest, the_files_are_read_again_each_minute) {
  Credentials credentials = made();
  EXPECT_EQ(credentials.get(now_).value(), (Credentials::Content{"the authority", "abc"}));
  write("token", "def");
  write("ca.crt", "another");
  EXPECT_EQ(credentials.get(now_ + 59s)->token, "abc");
  EXPECT_EQ(credentials.get(now_ + 60s).value(), (Credentials::Content{"another", "def"}));
}

TEST_F(CredentialsTest, a_refused_token_is_read_again_at_once) {
  Credentials credentials = made();
  EXPECT_EQ(credentials.get(now_)->token, "abc");
  write("token", "def");
  credentials.expire();
  EXPECT_EQ(credentials.get(now_)->token, "def");
}

TEST_F(CredentialsTest, a_file_that_is_gone_leaves_its_last_content) {
  Credentials credentials = made();
  EXPECT_TRUE(credentials.get(now_));
  std::filesystem::remove(path("token"));
  credentials.expire();
  EXPECT_EQ(credentials.get(now_ + 5min)->token, "abc");
  write("token", "def");
  EXPECT_EQ(credentials.get(now_ + 5min)->token, "def");
}

TEST_F(CredentialsTest, a_file_that_was_never_there_is_an_error_until_it_is) {
  std::filesystem::remove(path("token"));
  Credentials credentials = made();
  EXPECT_EQ(credentials.get(now_).error(), Error(Code::Unavailable, path("token") + ": No such file or directory"));
  write("token", "");
  EXPECT_EQ(credentials.get(now_).error(), Error(Code::InvalidArgument, path("token") + ": the token is empty"));
  write("token", "abc");
  EXPECT_TRUE(credentials.get(now_));
}

TEST_F(CredentialsTest, no_token_file_is_no_token) {
  Credentials credentials(path("ca.crt"), "");
  EXPECT_EQ(credentials.get(now_)->token, "");
}

// A token is a part of a header: nobody who writes the file may write a header of his own.
TEST(ParseToken, a_token_is_one_word) {
  EXPECT_EQ(parse_token(" eyJhbGciOi.J-_\r\n").value(), "eyJhbGciOi.J-_");
  EXPECT_THAT(parse_token("a\r\nX: y").error().message(), HasSubstr("characters"));
  EXPECT_THAT(parse_token("a b").error().message(), HasSubstr("characters"));
  EXPECT_THAT(parse_token("\xc3\xa4").error().message(), HasSubstr("characters"));
  EXPECT_THAT(parse_token(std::string(70'000, 'x')).error().message(), HasSubstr("64 KiB"));
}

}  // namespace
}  // namespace meshdns::kubernetes
