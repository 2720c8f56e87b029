#include "agent/probes/push_board.h"

#include <gmock/gmock.h>

#include "common/model/limits.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kNow{100h};
constexpr std::int64_t kUnix = 1'800'000'000'000;

TEST(PushBoard, the_last_push_of_each_key_counts) {
  PushBoard board;
  EXPECT_EQ(board.last("a"), std::nullopt);
  board.push("a", Outcome::Failure, "disk full", kNow);
  board.push("b", Outcome::Success, "", kNow);
  board.push("a", Outcome::Warning, "disk almost full", kNow + 1s);
  EXPECT_EQ(board.last("a"), (Push{Outcome::Warning, "disk almost full", kNow + 1s}));
  EXPECT_EQ(board.last("b"), (Push{Outcome::Success, "", kNow}));
}

TEST(PushBoard, a_long_detail_is_cut) {
  PushBoard board;
  board.push("a", Outcome::Failure, std::string(10'000, 'x'), kNow);
  EXPECT_EQ(board.last("a")->detail, std::string(model::kLongestDetail, 'x'));
}

TEST(PushBoard, listeners_hear_of_their_key_until_they_end) {
  PushBoard board;
  std::vector<std::string> heard;
  auto first = board.listen("a", [&] { heard.emplace_back("first"); });
  {
    const auto second = board.listen("a", [&] { heard.emplace_back("second"); });
    const auto other = board.listen("b", [&] { heard.emplace_back("other"); });
    board.push("a", Outcome::Success, "", kNow);
    EXPECT_THAT(heard, ElementsAre("first", "second"));
  }
  heard.clear();
  auto moved = std::move(first);
  board.push("a", Outcome::Success, "", kNow);
  EXPECT_THAT(heard, ElementsAre("first"));
  moved = {};
  board.push("a", Outcome::Success, "", kNow);
  EXPECT_THAT(heard, ElementsAre("first"));
}

TEST(PushBoard, listeners_may_end_and_begin_from_within_a_call) {
  PushBoard board;
  std::vector<PushBoard::Listening> held(2);
  unsigned calls = 0;
  held[0] = board.listen("a", [&] {
    ++calls;
    held[1] = {};
    held[0] = board.listen("a", [&] { calls += 100; });
  });
  held[1] = board.listen("a", [&] { calls += 10; });
  board.push("a", Outcome::Success, "", kNow);
  EXPECT_EQ(calls, 1U);
  board.push("a", Outcome::Success, "", kNow);
  EXPECT_EQ(calls, 101U);
}

TEST(PushBoard, a_snapshot_goes_by_the_wall_clock) {
  PushBoard before;
  before.push("a", Outcome::Warning, "w", kNow - 10s);
  before.push("old", Outcome::Success, "", kNow - PushBoard::kLongest);
  const auto saved = before.snapshot(kNow, kUnix);
  EXPECT_THAT(saved, ElementsAre(SavedPush{"a", Outcome::Warning, "w", kUnix - 10'000}));
  PushBoard after;
  const TimePoint now{5s};  // the machine was started again
  after.restore(saved, now, kUnix + 20'000);
  EXPECT_EQ(after.last("a"), (Push{Outcome::Warning, "w", now - 30s}));
}

TEST(PushBoard, what_is_restored_never_replaces_a_newer_push_and_is_never_of_the_future) {
  PushBoard board;
  board.push("a", Outcome::Failure, "new", kNow);
  board.restore({{"a", Outcome::Success, "old", kUnix - 1000},
                 {"b", Outcome::Success, "", kUnix + 3'600'000},
                 {"c", Outcome::Success, "", kUnix - 90'000'000}},
                kNow + 1ms, kUnix);
  EXPECT_EQ(board.last("a")->detail, "new");
  EXPECT_EQ(board.last("b")->at, kNow + 1ms) << "the wall clock was set back";
  EXPECT_EQ(board.last("c"), std::nullopt) << "older than a day";
}

TEST(PushBoard, keys_that_nobody_pushes_any_more_are_forgotten) {
  PushBoard board;
  for (int i = 0; i < 5000; ++i) {
    board.push("key " + std::to_string(i), Outcome::Success, "", kNow + i * PushBoard::kLongest / 100);
  }
  EXPECT_EQ(board.last("key 0"), std::nullopt);
  EXPECT_NE(board.last("key 4999"), std::nullopt);
}

}  // namespace
}  // namespace meshdns::probes
