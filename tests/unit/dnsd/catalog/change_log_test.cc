#include "dnsd/catalog/change_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace meshdns::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kNow{1h};

std::vector<std::string> keys(const std::vector<Change>& changes) {
  std::vector<std::string> out;
  for (const Change& change : changes) out.push_back(std::to_string(change.revision) + " " + change.key);
  return out;
}

class ChangeLogTest : public testing::Test {
 protected:
  void commit(const std::vector<std::string>& changed, TimePoint now = kNow) {
    for (const std::string& key : changed) log_.note(RecordType::Node, key, false);
    log_.commit(now);
  }

  ChangeLog log_{3};
};

TEST_F(ChangeLogTest, a_commit_without_changes_is_no_revision) {
  log_.commit(kNow);
  EXPECT_EQ(log_.revision(), 0U);
  commit({"a"});
  commit({});
  EXPECT_EQ(log_.revision(), 1U);
  EXPECT_EQ(log_.changed(), kNow);
  EXPECT_EQ(log_.generation_of(RecordType::Node), 1U);
  EXPECT_EQ(log_.generation_of(RecordType::Endpoint), 0U);
}

TEST_F(ChangeLogTest, the_oldest_revisions_are_forgotten) {
  commit({"a"});
  commit({"b", "c"});
  EXPECT_THAT(keys(*log_.since(0)), ElementsAre("1 a", "2 b", "2 c"));
  commit({"d"});
  EXPECT_EQ(log_.since(0), std::nullopt);
  EXPECT_THAT(keys(*log_.since(1)), ElementsAre("2 b", "2 c", "3 d"));
  EXPECT_THAT(*log_.since(3), IsEmpty());
  EXPECT_EQ(log_.since(4), std::nullopt) << "a revision that was not made yet";
}

TEST_F(ChangeLogTest, no_delta_leads_over_a_revision_that_the_log_cannot_hold) {
  commit({"a"});
  commit({"b", "c", "d", "e"});
  EXPECT_EQ(log_.since(1), std::nullopt);
  EXPECT_THAT(*log_.since(2), IsEmpty());
  commit({"f"});
  EXPECT_THAT(keys(*log_.since(2)), ElementsAre("3 f"));
}

TEST_F(ChangeLogTest, another_epoch_may_begin_at_a_lower_revision) {
  log_.continue_as(7);
  commit({"a"});
  EXPECT_EQ(log_.revision(), 7U);
  EXPECT_THAT(keys(*log_.since(6)), ElementsAre("7 a"));
  log_.continue_as(5);
  commit({"b"});
  EXPECT_EQ(log_.revision(), 5U);
  EXPECT_EQ(log_.generation(), 2U) << "never goes back";
  EXPECT_EQ(log_.since(3), std::nullopt);
  EXPECT_THAT(keys(*log_.since(4)), ElementsAre("5 b"));
}

}  // namespace
}  // namespace meshdns::catalog
