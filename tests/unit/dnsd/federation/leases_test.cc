#include "dnsd/federation/leases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kStart{1h};

/// Leases that are swept on time.
class LeasesTest : public testing::Test {
 protected:
  void hear(const std::string& node) { leases_.heard(node, now_); }

  /// The verdicts of the sweeps until then, as "4.5s n1 in doubt": how long after `now_`.
  std::vector<std::string> verdicts(Duration span) {
    std::vector<std::string> out;
    const TimePoint begin = now_;
    while (now_ < begin + span) {
      now_ += Leases::sweep_interval();
      add(out, now_ - begin, leases_.sweep(now_));
    }
    return out;
  }
  /// Those of one sweep, after time without any.
  std::vector<std::string> verdicts_after_pause(Duration pause) {
    std::vector<std::string> out;
    now_ += pause;
    add(out, pause, leases_.sweep(now_));
    return out;
  }
  /// Keeps the node heard so long.
  void keep_alive(const std::string& node, Duration span) {
    for (Duration done{}; done < span; done += 1s) {
      EXPECT_THAT(verdicts(1s), IsEmpty());
      hear(node);
    }
  }

  TimePoint now_ = kStart;
  Leases leases_{kStart};

 private:
  static void add(std::vector<std::string>& out, Duration after, const std::vector<Leases::Verdict>& verdicts) {
    for (const auto& [node, status] : verdicts) {
      const std::string what = status.silent ? " silent" : status.in_doubt ? " in doubt" : " fine";
      out.push_back(std::to_string(after / 1ms) + " " + node + what);
    }
  }
};

TEST_F(LeasesTest, two_missed_heartbeats_put_in_doubt_and_ten_seconds_are_silence) {
  keep_alive("n1", Leases::kGrace);
  EXPECT_THAT(verdicts(20s), ElementsAre("2500 n1 in doubt", "10000 n1 silent"));
  EXPECT_EQ(leases_.silent(), 1U);
  hear("n1");
  EXPECT_THAT(verdicts(250ms), ElementsAre("250 n1 fine"));
  EXPECT_EQ(leases_.silent(), 0U);
}

// Guards subscribers that know since before the start that a node is silent.
TEST_F(LeasesTest, of_who_is_expected_nothing_is_said_during_the_grace) {
  leases_.expect("n1", now_);
  leases_.expect("n2", now_);
  EXPECT_THAT(verdicts(30s), IsEmpty());
  hear("n2");
  EXPECT_THAT(verdicts(29750ms), ElementsAre("2500 n2 in doubt"));
  EXPECT_THAT(verdicts(250ms), ElementsAre("250 n1 silent", "250 n2 silent"));
}

TEST_F(LeasesTest, a_verdict_says_since_when) {
  hear("n1");
  verdicts(2250ms);
  const auto found = leases_.sweep(kStart + 2500ms);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].status.since, kStart);
}

TEST_F(LeasesTest, back_within_the_tolerance_changes_only_the_doubt) {
  keep_alive("n1", Leases::kGrace);
  EXPECT_THAT(verdicts(9750ms), ElementsAre("2500 n1 in doubt"));
  hear("n1");
  EXPECT_THAT(verdicts(1s), ElementsAre("250 n1 fine"));
}

// Guards a restarted federation, which nobody has found yet.
TEST_F(LeasesTest, nobody_is_silent_in_the_grace_after_a_start) {
  hear("n1");
  EXPECT_THAT(verdicts(70s), ElementsAre("2500 n1 in doubt", "60000 n1 silent"));
}

TEST_F(LeasesTest, each_node_is_judged_by_itself) {
  keep_alive("n1", Leases::kGrace);
  hear("n2");
  verdicts(5s);
  hear("n1");
  EXPECT_THAT(verdicts(5s), ElementsAre("250 n1 fine", "2500 n1 in doubt", "5000 n2 silent"));
  leases_.forget("n2");
  EXPECT_EQ(leases_.size(), 1U);
  EXPECT_EQ(leases_.silent(), 0U);
}

// Guards against a federation that was stopped or busy: what agents sent meanwhile is still unread.
TEST_F(LeasesTest, a_late_sweep_gives_everybody_as_much_more_time) {
  keep_alive("n1", Leases::kGrace);
  EXPECT_THAT(verdicts(2s), IsEmpty());
  EXPECT_THAT(verdicts_after_pause(1h), IsEmpty());
  EXPECT_THAT(verdicts(1s), ElementsAre("250 n1 in doubt"));  // 2 s before the pause, and 250 ms of it, were its own
  EXPECT_THAT(verdicts(10s), ElementsAre("6750 n1 silent"));
}

TEST_F(LeasesTest, the_time_given_ends_with_the_next_sign_of_life) {
  keep_alive("n1", Leases::kGrace);
  verdicts_after_pause(1h);
  hear("n1");
  EXPECT_THAT(verdicts(10s), ElementsAre("2500 n1 in doubt", "10000 n1 silent"));
}

TEST_F(LeasesTest, large_fleets_are_heard_less_often) {
  const auto heartbeat_of = [this](int agents) {
    for (int i = static_cast<int>(leases_.size()); i < agents; ++i) hear("n" + std::to_string(i));
    return leases_.heartbeat();
  };
  EXPECT_EQ(heartbeat_of(1), 1s);
  EXPECT_EQ(heartbeat_of(2000), 1s);
  EXPECT_EQ(heartbeat_of(3000), 1500ms);
  EXPECT_EQ(heartbeat_of(20000), 10s);
  EXPECT_EQ(Leases::lease_of(leases_.heartbeat()), 30s);
}

// Guards the first agents of a growing fleet, which beat every second for ever, and the last ones of a shrinking one,
// which were in doubt for ever.
TEST_F(LeasesTest, an_agent_is_judged_by_the_interval_that_it_was_told) {
  for (int i = 0; i < 8000; ++i) hear("n" + std::to_string(i));
  EXPECT_TRUE(leases_.must_tell("n0"));
  leases_.told("n0");
  EXPECT_FALSE(leases_.must_tell("n0"));
  for (int i = 1; i < 8000; ++i) leases_.forget("n" + std::to_string(i));
  EXPECT_EQ(leases_.heartbeat(), 1s);
  EXPECT_TRUE(leases_.must_tell("n0"));
  hear("n0");
  leases_.told("n0");  // it is on its way
  EXPECT_THAT(verdicts(9750ms), IsEmpty()) << "it still beats every 4 s";
  hear("n0");
  EXPECT_THAT(verdicts(3s), ElementsAre("2500 n0 in doubt"));
}

TEST_F(LeasesTest, a_change_of_less_than_a_quarter_is_not_told) {
  for (int i = 0; i < 2000; ++i) hear("n" + std::to_string(i));
  leases_.told("n0");
  for (int i = 2000; i < 2499; ++i) hear("n" + std::to_string(i));
  EXPECT_FALSE(leases_.must_tell("n0"));
  hear("n2499");
  EXPECT_TRUE(leases_.must_tell("n0"));
}

TEST_F(LeasesTest, a_busy_federation_hears_its_agents_less_often) {
  hear("n1");
  leases_.stretch(2);
  EXPECT_EQ(leases_.heartbeat(), 2s);
  EXPECT_TRUE(leases_.must_tell("n1"));
}

// Guards a federation that sent its agents away for ten seconds because reading its store had taken long.
TEST_F(LeasesTest, a_slow_start_is_forgiven_and_is_no_lag) {
  hear("n1");
  EXPECT_THAT(verdicts_after_pause(20s), IsEmpty());
  EXPECT_EQ(leases_.lag(), 0s);
  verdicts_after_pause(1250ms);
  EXPECT_EQ(leases_.lag(), 1s);
}

// A sweep that finds nothing costs nothing: agents that beat are looked at once each two and a half intervals.
TEST_F(LeasesTest, sweeps_cost_by_the_agents_whose_moment_has_come) {
  std::vector<double> steps;
  for (const int agents : {500, 1000, 2000}) {
    Leases leases(kStart);
    TimePoint now = kStart;
    const int sweeps = 40;
    for (int i = 0; i < sweeps; ++i) {
      if (i % 4 == 0) {
        for (int k = 0; k < agents; ++k) leases.heard("n" + std::to_string(k), now);
      }
      now += Leases::sweep_interval();
      EXPECT_THAT(leases.sweep(now), IsEmpty());
    }
    steps.push_back(static_cast<double>(leases.steps()) / agents);
  }
  EXPECT_LE(steps[0], 6) << "10 s, looked at each 1.5 to 2.5 s";
  EXPECT_EQ(steps[0], steps[1]);
  EXPECT_EQ(steps[1], steps[2]);
}

TEST_F(LeasesTest, the_tolerance_is_never_below_the_lease) {
  for (int i = 0; i < 20000; ++i) hear("n" + std::to_string(i));
  for (int i = 0; i < 20000; ++i) leases_.told("n" + std::to_string(i));
  verdicts(Leases::kGrace);
  for (int i = 0; i < 20000; ++i) hear("n" + std::to_string(i));
  verdicts(250ms);
  EXPECT_THAT(verdicts(29500ms).size(), 20000U);  // the doubt, after 25 s
  EXPECT_EQ(leases_.silent(), 0U);
  verdicts(250ms);
  EXPECT_EQ(leases_.silent(), 20000U);
}

}  // namespace
}  // namespace meshdns::federation
