#include "common/base/pattern.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

bool matches(const std::string& pattern, const std::string& text) {
  return Pattern::compile(pattern).value().is_in(text);
}

TEST(Pattern, is_found_anywhere) {
  EXPECT_TRUE(matches("\"ready\": *true", R"({"db": 1, "ready":  true})"));
  EXPECT_FALSE(matches("\"ready\": *true", R"({"ready": false})"));
  EXPECT_TRUE(matches("(?i)ok$", "all OK"));
  EXPECT_FALSE(matches("^ok", "not ok"));
  EXPECT_TRUE(matches("^$", ""));
}

TEST(Pattern, takes_any_bytes) {
  EXPECT_TRUE(matches("a.b",
                      "a\xFF"
                      "b"));
  EXPECT_TRUE(matches("b$", std::string("a\0b", 3)));
}

TEST(Pattern, says_what_is_wrong) {
  EXPECT_EQ(Pattern::compile("[a-").error(), Error(Code::InvalidArgument, "missing ]: [a-"));
  EXPECT_EQ(Pattern::compile("a(?=b)").error().code(), Code::InvalidArgument) << "RE2 looks neither ahead nor back";
  EXPECT_EQ(Pattern::compile("((a{100}){100}){100}").error().code(), Code::InvalidArgument);
  EXPECT_EQ(Pattern::compile("(\\pL{500}){100}").error().code(), Code::InvalidArgument);
}

// Guards the agent's one thread: std::regex needs exponential time for the first, and overflows the stack with the
// second.
TEST(Pattern, hostile_texts_take_linear_time) {
  std::string text(64 * 1024, 'a');
  text += 'b';
  EXPECT_FALSE(matches("(a+)+$", text));
  EXPECT_TRUE(matches("(.|\n)*b", text));
}

}  // namespace
}  // namespace meshdns
