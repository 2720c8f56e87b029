#include "common/kubernetes/object_reader.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace meshdns::kubernetes {
namespace {

boost::json::object parsed(const char* text) { return boost::json::parse(text).as_object(); }

class ObjectReaderTest : public testing::Test {
 protected:
  /// Returns the first problem of a reading, and forgets it.
  std::string problem() { return std::exchange(problem_, ""); }

  boost::json::object object_ = parsed(R"({
    "text": "a", "none": null, "yes": true, "many": 7, "less": -1, "half": 0.5, "at": "2026-11-29T16:00:00Z",
    "labels": {"app": "web", "bad": 1}, "inner": {"list": [{"ip": "10.0.0.1"}, {}, 5], "texts": ["a", 2]}})");
  std::string problem_;
  ObjectReader reader_{object_, problem_};
};

TEST_F(ObjectReaderTest, reads_what_is_there) {
  EXPECT_EQ(reader_.text("text"), "a");
  EXPECT_TRUE(reader_.flag("yes"));
  EXPECT_EQ(reader_.number("many", 7), 7U);
  EXPECT_EQ(reader_.time("at"), 1795968000);
  EXPECT_TRUE(reader_.has("many"));
  EXPECT_EQ(problem(), "");
}

// The API server leaves out what is empty, or sends null for it.
TEST_F(ObjectReaderTest, what_is_missing_or_null_is_empty) {
  for (const char* name : {"none", "absent"}) {
    EXPECT_EQ(reader_.text(name), "");
    EXPECT_FALSE(reader_.flag(name));
    EXPECT_EQ(reader_.number(name, 9), 0U);
    EXPECT_EQ(reader_.time(name), 0);
    EXPECT_TRUE(reader_.texts(name).empty());
    EXPECT_TRUE(reader_.list(name).empty());
    EXPECT_TRUE(reader_.list_of_texts(name).empty());
    EXPECT_EQ(reader_.object(name).object("deeper").text("still"), "");
    EXPECT_FALSE(reader_.has(name));
  }
  EXPECT_EQ(problem(), "");
}

TEST_F(ObjectReaderTest, another_type_is_a_problem_with_its_path) {
  EXPECT_EQ(reader_.text("many"), "");
  EXPECT_EQ(problem(), "many: expected a text (got a number)");
  EXPECT_FALSE(reader_.flag("text"));
  EXPECT_EQ(problem(), "text: expected true or false (got a text)");
  EXPECT_EQ(reader_.object("yes").text("x"), "");
  EXPECT_EQ(problem(), "yes: expected an object (got true or false)");
  EXPECT_TRUE(reader_.list("inner").empty());
  EXPECT_EQ(problem(), "inner: expected a list (got an object)");
  EXPECT_EQ(reader_.time("text"), 0);
  EXPECT_EQ(problem(), "text: expected a time like 2026-11-27T18:00:00Z (got a)");
}

TEST_F(ObjectReaderTest, a_number_is_whole_and_in_bounds) {
  EXPECT_EQ(reader_.number("many", 6), 0U);
  EXPECT_EQ(problem(), "many: expected a whole number of 0 to 6");
  EXPECT_EQ(reader_.number("less", 6), 0U);
  EXPECT_EQ(problem(), "less: expected a whole number of 0 to 6");
  EXPECT_EQ(reader_.number("half", 6), 0U);
  EXPECT_EQ(problem(), "half: expected a whole number of 0 to 6");
  EXPECT_EQ(reader_.number("text", 6), 0U);
  EXPECT_EQ(problem(), "text: expected a whole number of 0 to 6 (got a text)");
}

TEST_F(ObjectReaderTest, lists_and_mappings_keep_what_can_be_read) {
  const auto items = reader_.object("inner").list("list");
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].text("ip"), "10.0.0.1");
  EXPECT_EQ(problem(), "inner.list[2]: expected an object (got a number)");
  EXPECT_EQ(reader_.object("inner").list_of_texts("texts"), std::vector<std::string>{"a"});
  EXPECT_EQ(problem(), "inner.texts[1]: expected a text (got a number)");
  EXPECT_EQ(reader_.texts("labels").at("app"), "web");
  EXPECT_EQ(problem(), "labels.bad: expected a text (got a number)");
}

TEST_F(ObjectReaderTest, the_first_problem_is_kept) {
  reader_.fail("text", "is wrong");
  reader_.fail("many", "is wrong, too");
  EXPECT_EQ(problem(), "text: is wrong");
}

}  // namespace
}  // namespace meshdns::kubernetes
