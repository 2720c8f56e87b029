#include "agent/app/pushes.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "common/base/whole_file.h"
#include "common/time/sim_clock.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::agent::app {
namespace {

using health::Outcome;
using probes::SavedPush;

constexpr const char* kPushed = "shop/web/10.0.0.1:80";

class PushesTest : public testing::Test {
 protected:
  PushesTest() { start(); }

  void start() {
    pushes_.reset();
    board_.emplace();
    pushes_.emplace(clock_, clock_, *board_, path());
    pushes_->load();
  }
  std::string path() const { return folder_.path("n1.pushes"); }
  bool is_kept() const { return std::filesystem::exists(path()); }

  SimClock clock_;
  test::TemporaryFolder folder_;
  std::optional<probes::PushBoard> board_;
  std::optional<Pushes> pushes_;
};

TEST_F(PushesTest, text_reads_back) {
  const std::vector<SavedPush> pushes = {{kPushed, Outcome::Success, "", 1},
                                         {"b", Outcome::Warning, "disk 91 %", 2},
                                         {"c", Outcome::Failure, "x", 1'800'000'000'123}};
  EXPECT_EQ(read_pushes(pushes_text(pushes)).value(), pushes);
  EXPECT_EQ(read_pushes(pushes_text({})).value().size(), 0U);
}

TEST_F(PushesTest, a_damaged_line_is_named) {
  for (const char* line : {"x", "a\tup\t1", "a\tup\t1\td\te", "\tup\t1\td", "a\tsideways\t1\td", "a\tup\tx\td",
                           "a\tup\t18446744073709551615\td"}) {
    EXPECT_EQ(read_pushes(std::string("a\tup\t1\td\n") + line + "\n").error(),
              Error(Code::DataLoss, "line 2 is no push"))
        << line;
  }
}

TEST_F(PushesTest, news_is_kept_at_once_and_repeats_are_kept_later) {
  pushes_->push(kPushed, Outcome::Success, "");
  EXPECT_FALSE(is_kept());
  clock_.advance(Pushes::kNewDelay);
  EXPECT_TRUE(is_kept());
  std::filesystem::remove(path());
  pushes_->push(kPushed, Outcome::Success, "");
  clock_.advance(Pushes::kRepeatDelay - 1ns);
  EXPECT_FALSE(is_kept());
  pushes_->push(kPushed, Outcome::Success, "");
  clock_.advance(1ns);
  EXPECT_TRUE(is_kept());
}

TEST_F(PushesTest, news_does_not_wait_for_a_repeat) {
  pushes_->push(kPushed, Outcome::Success, "");
  clock_.advance(Pushes::kNewDelay);
  std::filesystem::remove(path());
  pushes_->push(kPushed, Outcome::Success, "");
  pushes_->push(kPushed, Outcome::Failure, "disk full");
  clock_.advance(Pushes::kNewDelay);
  EXPECT_THAT(read_file(path()).value(), testing::HasSubstr("disk full"));
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(PushesTest, a_restart_keeps_pushes_and_when_they_were_made) {
  pushes_->push(kPushed, Outcome::Failure, "disk full");
  start();  // at once: the end of the agent writes what is not kept yet
  const auto last = board_->last(kPushed);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->outcome, Outcome::Failure);
  EXPECT_EQ(last->detail, "disk full");
  clock_.advance(5s);
  EXPECT_EQ(board_->last(kPushed)->at, clock_.now() - 5s);
}

TEST_F(PushesTest, a_broken_file_is_told_and_put_aside) {
  std::ofstream(path()) << "no push\n";
  start();
  EXPECT_THAT(pushes_->trouble(), testing::HasSubstr("line 1 is no push"));
  EXPECT_FALSE(is_kept());
  EXPECT_EQ(read_file(path() + ".broken").value(), "no push\n");
}

}  // namespace
}  // namespace meshdns::agent::app
