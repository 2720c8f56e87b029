#include "common/base/base64.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

// RFC 4648 10
TEST(Base64, decodes_the_examples_of_the_rfc) {
  EXPECT_EQ(from_base64(""), "");
  EXPECT_EQ(from_base64("Zg=="), "f");
  EXPECT_EQ(from_base64("Zm8="), "fo");
  EXPECT_EQ(from_base64("Zm9v"), "foo");
  EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
  EXPECT_EQ(from_base64("Zm9vYmFy"), "foobar");
  EXPECT_EQ(from_base64("+/8A"), (std::string{'\xfb', '\xff', '\0'}));
}

TEST(Base64, refuses_everything_else) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "====", "=", "Zm9v\n", "Zm 9v", "Zm9v=", "Z===", "Zm9-", "Zm9_",
                           "Zg==Zg==", "Zh==", "Zm9="})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace meshdns
