#include "common/process/passed_sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

namespace meshdns::process {
namespace {

using testing::IsEmpty;

class PassedSocketsTest : public testing::Test {
 protected:
  ~PassedSocketsTest() override {
    ::unsetenv("LISTEN_PID");
    ::unsetenv("LISTEN_FDS");
  }
  static std::vector<int> passed(const std::string& pid, const char* count) {
    ::setenv("LISTEN_PID", pid.c_str(), 1);
    ::setenv("LISTEN_FDS", count, 1);
    return passed_sockets();
  }
  const std::string own = std::to_string(::getpid());
};

TEST_F(PassedSocketsTest, no_variables_no_sockets) { EXPECT_THAT(passed_sockets(), IsEmpty()); }

TEST_F(PassedSocketsTest, those_of_another_process_are_not_ours) { EXPECT_THAT(passed("1", "1"), IsEmpty()); }

TEST_F(PassedSocketsTest, only_open_ones_from_3_on) {
  ASSERT_GE(::dup2(STDERR_FILENO, 3), 0);
  const auto found = passed(own, "1");
  EXPECT_THAT(found, testing::ElementsAre(3));
  ::close(3);
  EXPECT_THAT(passed(own, "1"), IsEmpty());
}

TEST_F(PassedSocketsTest, no_number_no_sockets) {
  for (const char* count : {"", "x", "-1", "0"}) EXPECT_THAT(passed(own, count), IsEmpty()) << count;
  passed(own, "99999999999999999");  // ends
}

}  // namespace
}  // namespace meshdns::process
