#include "common/config/yaml_tree.h"

namespace meshdns::config {
namespace {

TEST(YamlTree, keeps_where_things_stand) {
  const auto tree = read_yaml("a: 1\nb:\n  - x\n  - {c: \"d\"}\n").value();
  ASSERT_EQ(tree.documents.size(), 1U);
  const YamlNode& list = *tree.documents[0]->find("b");
  ASSERT_EQ(list.children.size(), 2U);
  EXPECT_EQ(list.children[0]->text, "x");
  const YamlNode& d = *list.children[1]->find("c");
  EXPECT_EQ(d.text, "d");
  EXPECT_EQ(d.line, 4);
  EXPECT_EQ(d.column, 9);
}

TEST(YamlTree, follows_aliases) {
  const auto tree = read_yaml("a: &x {k: v}\nb: *x\n").value();
  EXPECT_EQ(tree.documents[0]->find("b")->find("k")->text, "v");
}

TEST(YamlTree, stops_at_aliases_that_grow_without_end) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    std::string list = before;
    for (int j = 0; j < 9; ++j) list += ", " + before;
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + list + "]\n";
  }
  EXPECT_THAT(read_yaml(text).error().what, testing::HasSubstr("more than 20000000 values"));
}

TEST(YamlTree, refuses_an_alias_inside_its_own_anchor) {
  EXPECT_THAT(read_yaml("a: &x [*x]\n").error().what, testing::HasSubstr("inside its own anchor"));
}

TEST(YamlTree, refuses_deep_nesting) {
  EXPECT_FALSE(read_yaml(std::string(100000, '[')));
  EXPECT_FALSE(read_yaml(std::string(100000, '{')));
}

// yaml-cpp 0.7 alone goes on forever here
TEST(YamlTree, ends_where_no_value_can_begin) {
  for (const auto* bad : {",: x", "a: b\n]", "}", "a: 1\n--- }\n"}) EXPECT_FALSE(read_yaml(bad)) << bad;
}

TEST(YamlTree, wants_utf8) {
  for (const auto* bad : {"a: \xff", "a: \xc0\xaf", "a: \xed\xa0\x80", "a: \xe2\x82", "a: \xf4\x90\x80\x80"}) {
    const auto tree = read_yaml(bad);
    ASSERT_FALSE(tree) << bad;
    EXPECT_EQ(tree.error().what, "not UTF-8 text");
    EXPECT_EQ(tree.error().column, 4);
  }
  EXPECT_FALSE(read_yaml(std::string("a: b\n\0", 6)));
  EXPECT_EQ(read_yaml("a: \xe2\x82\xac \xf0\x9f\x90\x9f").value().documents[0]->find("a")->text,
            "\xe2\x82\xac \xf0\x9f\x90\x9f");
}

TEST(YamlTree, says_where_it_is_not_yaml) {
  const auto error = read_yaml("a: 1\nb: [1, 2\nc: 3\n").error();
  EXPECT_GT(error.line, 1);
  EXPECT_THAT(error.what, testing::StartsWith("not YAML: "));
}

}  // namespace
}  // namespace meshdns::config
