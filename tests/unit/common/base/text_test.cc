#include "common/base/text.h"
#include "common/base/hint.h"
#include "common/base/names.h"

#include <gtest/gtest.h>

namespace meshdns {
namespace {

using std::string_view_literals::operator""sv;

TEST(Text, splits_and_keeps_empty_parts) {
  EXPECT_EQ(split("a..b", '.'), (std::vector{"a"sv, ""sv, "b"sv}));
  EXPECT_EQ(split("", '.'), (std::vector{""sv}));
}

TEST(Text, joins_trims_and_lowers) {
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(ascii_lower("AbZ\xC4"), "abz\xC4");
}

TEST(Text, names_are_one_whatever_their_letters_case) {
  EXPECT_TRUE(same_name("Web", "wEB"));
  EXPECT_FALSE(same_name("web", "web1"));
  EXPECT_FALSE(same_name("web[", "web{"));
  const NameLess less;
  EXPECT_FALSE(less("Web", "wEB") || less("wEB", "Web"));
  EXPECT_TRUE(less("A", "b") && less("a", "B") && less("a", "aa"));
}

TEST(Text, numbers_are_whole_or_nothing) {
  EXPECT_EQ(parse_uint("18446744073709551615"), 18446744073709551615U);
  for (const auto* bad : {"", "-1", "1 ", "0x1", "18446744073709551616"}) EXPECT_FALSE(parse_uint(bad)) << bad;
}

TEST(Text, edit_distance_counts_a_swap_as_one) {
  EXPECT_EQ(edit_distance("label", "labels"), 1U);
  EXPECT_EQ(edit_distance("lsiten", "listen"), 1U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
}

TEST(Text, suggests_only_what_is_close) {
  const std::vector<std::string> words = {"matchLabels", "clusters", "name"};
  EXPECT_EQ(did_you_mean("matchLabel", words), "matchLabels");
  EXPECT_EQ(did_you_mean("nmae", words), "name");
  EXPECT_EQ(did_you_mean("ladder", words), std::nullopt);
}

TEST(Text, ldh_labels) {
  EXPECT_TRUE(is_ldh_label("eu-1"));
  EXPECT_TRUE(is_ldh_label(std::string(63, 'a')));
  for (const auto& bad :
       {std::string(), std::string(64, 'a'), std::string("-a"), std::string("a-"), std::string("a_b")}) {
    EXPECT_FALSE(is_ldh_label(bad)) << bad;
  }
}

TEST(Hint, names_the_guess_between_its_quotes) {
  EXPECT_EQ(hint("eu-1"), " (did you mean eu-1?)");
  EXPECT_EQ(hint("eu-1", "\"\""), " (did you mean \"eu-1\"?)");
  EXPECT_EQ(hint("zone", "{}"), " (did you mean {zone}?)");
  EXPECT_EQ(hint(std::nullopt, "{}"), "");
}

}  // namespace
}  // namespace meshdns
