#include "dnsd/app/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/convert/report_convert.h"

namespace meshdns::dnsd::app {
namespace {

using testing::ElementsAre;

class HistoryTest : public testing::Test {
 protected:
  void add(const std::string& host) {
    v1::Event event;
    event.set_host(host);
    history_.add(std::move(event), TimePoint{1h});
  }
  std::vector<std::uint64_t> ids(const std::string& host, std::uint64_t after = 0) const {
    std::vector<std::uint64_t> out;
    const auto reply = history_.later_than({after, host}, TimePoint{1h});
    for (const auto& event : reply.events()) out.push_back(event.id());
    return out;
  }

  History history_{100};
};

TEST_F(HistoryTest, tells_of_one_host_what_is_about_it_and_about_many) {
  add("a");
  add("b");
  add("");
  add("a");
  EXPECT_THAT(ids("a"), ElementsAre(100U, 102U, 103U));
  EXPECT_THAT(ids("b"), ElementsAre(101U, 102U));
  EXPECT_THAT(ids("c"), ElementsAre(102U));
  EXPECT_THAT(ids(""), ElementsAre(100U, 101U, 102U, 103U));
  EXPECT_THAT(ids("a", 102), ElementsAre(103U));
  EXPECT_EQ(history_.later_than({0, "b"}, TimePoint{1h}).last(), 103U) << "to go on from there";
  EXPECT_EQ(history_.later_than({900, "b"}, TimePoint{1h}).last(), 900U);
  EXPECT_TRUE(history_.knows("b"));
  EXPECT_FALSE(history_.knows("c"));
}

TEST_F(HistoryTest, keeps_the_last_of_each_host) {
  add("quiet");
  for (std::size_t i = 0; i < 3 * History::kMostOfHost; ++i) add("busy");
  EXPECT_EQ(ids("busy").size(), History::kMostOfHost);
  EXPECT_EQ(ids("busy").back(), 100 + 3 * History::kMostOfHost);
  EXPECT_THAT(ids("quiet"), ElementsAre(100U));
  EXPECT_EQ(history_.size(), History::kMostOfHost + 1);
}

TEST_F(HistoryTest, keeps_so_many_in_all) {
  for (std::size_t i = 0; i < History::kMost + 10; ++i) add("h" + std::to_string(i));
  EXPECT_EQ(history_.size(), History::kMost);
  EXPECT_FALSE(history_.knows("h9"));
  EXPECT_TRUE(history_.knows("h10"));
  EXPECT_EQ(ids("").size(), History::kMostInReply);
  EXPECT_EQ(ids("").back(), 100 + History::kMost + 9) << "the last ones";
}

// Guards the memory of a server whose hosts change a lot at a time.
TEST_F(HistoryTest, keeps_so_many_bytes) {
  for (std::size_t i = 0; i < 3000; ++i) {
    v1::Event event;
    event.set_host("h" + std::to_string(i));
    for (int line = 0; line < 16; ++line) event.add_answers()->set_before(std::string(1000, 'x'));
    history_.add(std::move(event), TimePoint{1h});
    ASSERT_LE(history_.bytes(), History::kMostBytes);
  }
  EXPECT_GT(history_.bytes(), History::kMostBytes / 2);
  EXPECT_GT(history_.size(), 500U);
  EXPECT_TRUE(history_.knows("h2999"));
}

TEST_F(HistoryTest, what_does_not_fit_comes_in_the_next_reply) {
  for (int i = 0; i < 5; ++i) add("a");
  const auto look = [&](std::uint64_t after, History::Keep keep, PageBounds bounds) {
    return history_.later_than({after, "a", keep, bounds}, TimePoint{1h});
  };
  const auto newest = look(0, History::Keep::Newest, {.rows = 2});
  EXPECT_EQ(newest.events(0).id(), 103U);
  EXPECT_EQ(newest.events(1).id(), 104U);
  EXPECT_EQ(newest.continue_(), "");
  for (const PageBounds bounds : {PageBounds{.rows = 2}, PageBounds{.rows = 1}, PageBounds{.bytes = 1}}) {
    std::vector<std::uint64_t> seen;
    std::uint64_t after = 0;
    for (bool more = true; more;) {
      const auto page = look(after, History::Keep::Oldest, bounds);
      EXPECT_LE(page.events_size(), 2);
      for (const auto& event : page.events()) seen.push_back(event.id());
      after = page.last();
      more = !page.continue_().empty();
    }
    EXPECT_THAT(seen, ElementsAre(100U, 101U, 102U, 103U, 104U));
    EXPECT_EQ(after, history_.last());
  }
}

TEST_F(HistoryTest, knows_whether_there_is_something_later) {
  add("a");
  add("");
  add("b");
  EXPECT_TRUE(history_.has_later_than(0, "a"));
  EXPECT_TRUE(history_.has_later_than(100, "a")) << "of many hosts";
  EXPECT_FALSE(history_.has_later_than(101, "a"));
  EXPECT_TRUE(history_.has_later_than(101, "b"));
  EXPECT_TRUE(history_.has_later_than(101, ""));
  EXPECT_FALSE(history_.has_later_than(102, ""));
}

TEST_F(HistoryTest, says_how_long_ago) {
  add("a");
  const auto reply = history_.later_than({0, "a"}, TimePoint{1h + 5s});
  EXPECT_EQ(convert::from_wire(reply.events(0).age()), 5s);
}

}  // namespace
}  // namespace meshdns::dnsd::app
