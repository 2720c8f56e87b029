#include "dnsd/app/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/convert/report_convert.h"

namespace meshdns::app {
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
    const auto reply = history_.later_than(after, host, TimePoint{1h});
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
  EXPECT_EQ(history_.later_than(0, "b", TimePoint{1h}).last(), 103U) << "to go on from there";
  EXPECT_EQ(history_.later_than(900, "b", TimePoint{1h}).last(), 900U);
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

TEST_F(HistoryTest, says_how_long_ago) {
  add("a");
  const auto reply = history_.later_than(0, "a", TimePoint{1h + 5s});
  EXPECT_EQ(convert::from_wire(reply.events(0).age()), 5s);
}

}  // namespace
}  // namespace meshdns::app
