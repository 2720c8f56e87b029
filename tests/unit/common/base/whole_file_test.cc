#include "common/base/whole_file.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

TEST(ReadFile, says_what_is_wrong_with_the_file) {
  EXPECT_EQ(read_file("/nonexistent").error(), Error(Code::NotFound, "/nonexistent: No such file or directory"));
  EXPECT_FALSE(read_file("/tmp"));
  EXPECT_EQ(read_file("/dev/null").value(), "");
}

}  // namespace
}  // namespace meshdns
