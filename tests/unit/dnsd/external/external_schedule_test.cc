#include "dnsd/external/external_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::external {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Error kGone(Code::NotFound, "no such name");
const Error kSilent(Code::DeadlineExceeded, "no server answers");

class ExternalScheduleTest : public testing::Test {
 protected:
  void pass(Duration time) { now_ += time; }

  TimePoint now_{1h};
  ExternalSchedule schedule_;
};

TEST_F(ExternalScheduleTest, a_new_name_is_asked_for_at_once_and_after_its_ttl) {
  EXPECT_FALSE(schedule_.next());
  schedule_.set_names({"a"}, now_);
  EXPECT_EQ(schedule_.next(), now_);
  EXPECT_THAT(schedule_.take_due(now_), ElementsAre("a"));
  EXPECT_FALSE(schedule_.next()) << "it is under way";
  EXPECT_FALSE(schedule_.succeeded("a", 60s, now_));
  EXPECT_EQ(schedule_.next(), now_ + 60s);
  pass(59s);
  EXPECT_THAT(schedule_.take_due(now_), IsEmpty());
  pass(1s);
  EXPECT_THAT(schedule_.take_due(now_), ElementsAre("a"));
}

TEST_F(ExternalScheduleTest, a_name_that_stays_is_not_asked_for_anew) {
  schedule_.set_names({"a"}, now_);
  schedule_.take_due(now_);
  schedule_.succeeded("a", 60s, now_);
  pass(10s);
  schedule_.set_names({"a", "b"}, now_);
  EXPECT_THAT(schedule_.take_due(now_), ElementsAre("b"));
}

TEST_F(ExternalScheduleTest, ttls_are_held_between_5_s_and_5_min) {
  schedule_.set_names({"short", "long"}, now_);
  schedule_.take_due(now_);
  schedule_.succeeded("short", 0s, now_);
  EXPECT_EQ(schedule_.next(), now_ + 5s);
  schedule_.set_names({"long"}, now_);
  schedule_.succeeded("long", 24h, now_);
  EXPECT_EQ(schedule_.next(), now_ + 5min);
}

TEST_F(ExternalScheduleTest, pauses_grow_while_it_fails_and_begin_anew) {
  schedule_.set_names({"a"}, now_);
  for (const Duration pause : {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    ASSERT_THAT(schedule_.take_due(now_), ElementsAre("a"));
    schedule_.failed("a", kSilent, now_);
    EXPECT_EQ(schedule_.next(), now_ + pause);
    pass(pause);
  }
  schedule_.take_due(now_);
  schedule_.succeeded("a", 30s, now_);
  pass(30s);
  schedule_.take_due(now_);
  schedule_.failed("a", kSilent, now_);
  EXPECT_EQ(schedule_.next(), now_ + 5s);
}

TEST_F(ExternalScheduleTest, both_edges_of_a_failure_are_told_once) {
  schedule_.set_names({"a"}, now_);
  const TimePoint since = now_;
  schedule_.take_due(now_);
  EXPECT_TRUE(schedule_.failed("a", kSilent, now_));
  pass(5s);
  schedule_.take_due(now_);
  EXPECT_FALSE(schedule_.failed("a", kGone, now_));
  EXPECT_EQ(schedule_.failures().at("a").error, kGone) << "the last one is what people see";
  pass(10s);
  schedule_.take_due(now_);
  const auto was = schedule_.succeeded("a", 30s, now_);
  ASSERT_TRUE(was);
  EXPECT_EQ(was->since, since);
  EXPECT_THAT(schedule_.failures(), IsEmpty());
  EXPECT_FALSE(schedule_.succeeded("a", 30s, now_));
}

TEST_F(ExternalScheduleTest, a_name_that_goes_takes_its_failure_along_and_its_end_is_not_heard) {
  schedule_.set_names({"a", "b"}, now_);
  schedule_.take_due(now_);
  schedule_.failed("a", kGone, now_);
  schedule_.set_names({}, now_);
  EXPECT_THAT(schedule_.failures(), IsEmpty());
  EXPECT_FALSE(schedule_.knows("a"));
  EXPECT_FALSE(schedule_.failed("b", kGone, now_)) << "it was under way";
  EXPECT_THAT(schedule_.failures(), IsEmpty());
  pass(1h);
  EXPECT_THAT(schedule_.take_due(now_), IsEmpty());
}

TEST_F(ExternalScheduleTest, a_name_that_comes_back_while_it_is_under_way_is_not_asked_for_twice) {
  schedule_.set_names({"a"}, now_);
  schedule_.take_due(now_);
  schedule_.set_names({}, now_);
  schedule_.set_names({"a"}, now_);
  EXPECT_THAT(schedule_.take_due(now_), IsEmpty());
  schedule_.succeeded("a", 30s, now_);
  EXPECT_EQ(schedule_.next(), now_ + 30s);
}

TEST_F(ExternalScheduleTest, sixteen_are_under_way_at_once_the_longest_due_first) {
  std::set<std::string> names;
  for (int i = 0; i < 40; ++i) names.insert("n" + std::to_string(100 + i));
  schedule_.set_names(names, now_);
  EXPECT_EQ(schedule_.take_due(now_).size(), 16U);
  EXPECT_FALSE(schedule_.next());
  EXPECT_THAT(schedule_.take_due(now_), IsEmpty());
  pass(5s);
  schedule_.failed("n100", kSilent, now_);
  EXPECT_THAT(schedule_.take_due(now_), ElementsAre("n116"));
}

resolve::Answer answer(std::initializer_list<const char*> addresses, std::optional<Family> unanswered = {}) {
  resolve::Answer out;
  for (const char* text : addresses) out.addresses.push_back(IpAddress::parse(text).value());
  out.unanswered = unanswered;
  return out;
}

TEST(ExternalAddresses, an_answer_replaces_what_was_known_but_of_the_family_that_was_not_answered) {
  const auto known = answer({"10.0.0.1", "fd00::1"}).addresses;
  EXPECT_EQ(addresses_after(answer({"10.0.0.2"}), known, Loopback::Refused).value(), answer({"10.0.0.2"}).addresses);
  EXPECT_EQ(addresses_after(answer({"10.0.0.2"}, Family::V6), known, Loopback::Refused).value(),
            answer({"10.0.0.2", "fd00::1"}).addresses);
  EXPECT_EQ(addresses_after(answer({"fd00::2"}, Family::V4), known, Loopback::Refused).value(),
            answer({"10.0.0.1", "fd00::2"}).addresses);
}

TEST(ExternalAddresses, the_address_of_nobody_is_none) {
  EXPECT_EQ(addresses_after(answer({"0.0.0.0", "10.0.0.1", "::", "224.0.0.5", "169.254.0.1", "fe80::1", "127.0.0.1",
                                    "::1", "240.0.0.1"}),
                            {}, Loopback::Refused)
                .value(),
            answer({"10.0.0.1"}).addresses);
  EXPECT_EQ(addresses_after(answer({"0.0.0.0"}), {}, Loopback::Refused).error().code(), Code::NotFound);
}

}  // namespace
}  // namespace meshdns::external
