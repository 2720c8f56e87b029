// What one agent's stream can make a federation hold, keep waiting for, and believe.
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class ReportBoundsTest : public FederationTest {
 protected:
  /// A record of about so many bytes.
  static std::string large(const std::string& key, std::size_t bytes) {
    return encoded({.key = key, .uid = std::string(bytes, 'x')});
  }
  static std::string without_address(const std::string& key) {
    v1::Endpoint endpoint;
    endpoint.ParseFromString(encoded({.key = key}));
    endpoint.clear_addresses();
    endpoint.add_addresses("abc");
    return endpoint.SerializeAsString();
  }
  std::string farewell(const FakeAgent& agent) const { return agent.heard().goodbye().message(); }
};

TEST_F(ReportBoundsTest, a_full_that_never_ends_is_bounded_and_its_memory_given_back) {
  FakeAgent& agent = connect();
  agent.hello();
  std::uint32_t part = 0;
  for (; part < 100 && !agent.port().closed; ++part) {
    agent.full({large("k" + std::to_string(part), std::size_t{1} << 20)}, {part, false, {}});
    EXPECT_LE(agents_.arriving_bytes(), ArrivingFull::kMostBytes);
  }
  EXPECT_EQ(part, 16U);
  EXPECT_THAT(farewell(agent), HasSubstr("more than 16 MiB"));
  EXPECT_EQ(agents_.arriving_bytes(), 0U);
}

TEST_F(ReportBoundsTest, a_full_that_does_not_go_on_ends_the_session) {
  FakeAgent& agent = connect();
  agent.hello();
  agent.full({encoded({.key = "a"})}, {0, false, {}});
  for (int i = 0; i < 59; ++i) {
    advance(1s);
    agent.heartbeat();
  }
  EXPECT_FALSE(agent.port().closed);
  agent.full({encoded({.key = "b"})}, {1, false, {}});
  advance(59s);
  EXPECT_FALSE(agent.port().closed) << "it goes on";
  advance(1s);
  EXPECT_TRUE(agent.port().closed);
  EXPECT_THAT(farewell(agent), HasSubstr("begun and not ended"));
  EXPECT_EQ(agents_.arriving_bytes(), 0U);
}

TEST_F(ReportBoundsTest, fulls_of_one_address_leave_room_for_others) {
  std::vector<FakeAgent*> bad;
  for (int i = 0; i < 4; ++i) {
    bad.push_back(&connect());
    bad.back()->hello({.node = "bad" + std::to_string(i)});
    for (std::uint32_t part = 0; part < 10; ++part) {
      bad.back()->full({large("k" + std::to_string(part), std::size_t{1} << 20)}, {part, false, {}});
    }
  }
  EXPECT_LE(agents_.arriving_bytes(), AgentReports::kArriving.each);
  EXPECT_EQ(bad[3]->heard().goodbye().reason(), v1::Goodbye::OVERLOADED);
  FakeAgent good(agents_, false, "10.1.1.1");
  good.hello({.node = "good"});
  good.full({encoded({.key = "a"})}, {0, false, {}});
  good.full({encoded({.key = "b"})}, {1, true, {"files"}});
  EXPECT_THAT(keys(), testing::ElementsAre("eu-1/good/a", "eu-1/good/b"));
  good.end();
}

TEST_F(ReportBoundsTest, keys_of_refused_records_are_not_remembered_without_end) {
  FakeAgent& agent = connected({{.key = "a"}});
  constexpr int kMessages = 21;
  constexpr int kRecords = 5000;
  for (int message = 0; message < kMessages && !agent.port().closed; ++message) {
    std::vector<std::string> records;
    for (int i = 0; i < kRecords; ++i) records.push_back(without_address(std::to_string(message * kRecords + i)));
    agent.delta(records);
  }
  EXPECT_EQ(agent.heard().goodbye().reason(), v1::Goodbye::OVERLOADED);
  EXPECT_THAT(farewell(agent), HasSubstr("more than 100000 endpoints"));
  EXPECT_EQ(agents_.counters().refused_records, 95000U) << "the last message was not taken";
}

TEST_F(ReportBoundsTest, what_a_session_was_refused_is_forgotten_with_it) {
  FakeAgent& agent = connected({{.key = "a"}});
  std::vector<std::string> records;
  for (std::size_t i = 0; i < 2 * AgentReports::kMostKeptKeys; ++i)
    records.push_back(without_address(std::to_string(i)));
  agent.delta(records);
  agent.end();
  FakeAgent& back = connect();
  back.hello({}, digest_of({{.key = "a"}}));
  EXPECT_TRUE(back.heard().welcome().want_full()) << "nothing is known of it";
}

// One message of 4 MiB can have a million bad records, and each refusal costs a hundred times as much.
TEST_F(ReportBoundsTest, an_acknowledgement_lists_some_refusals_and_counts_the_others) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.delta(std::vector<std::string>(20000, "\xff"));
  const v1::Ack& ack = agent.heard().ack();
  ASSERT_EQ(ack.nacks_size(), static_cast<int>(Refusals::kMost) + 1);
  EXPECT_EQ(ack.nacks(static_cast<int>(Refusals::kMost)).reason(), "19000 more records were refused");
  EXPECT_EQ(agents_.counters().refused_records, 20000U);
}

// The version that is kept is still known to be unchecked.
TEST_F(ReportBoundsTest, a_refused_version_of_a_known_endpoint_is_remembered) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  agent.delta({without_address("a"), without_address("unknown")});
  EXPECT_TRUE(record("eu-1/n1/a").unwatched);
  EXPECT_FALSE(record("eu-1/n1/b").unwatched);
}

TEST_F(ReportBoundsTest, an_acknowledgement_has_a_size) {
  FakeAgent& agent = connected({{.key = "a"}});
  const auto refuse = [&agent](std::size_t key) {
    std::vector<std::string> records;
    for (int i = 0; i < 1000; ++i) records.push_back(without_address(std::string(key, 'k') + std::to_string(1000 + i)));
    agent.delta(records);
  };
  refuse(10);
  EXPECT_EQ(agent.heard().ack().nacks_size(), 1000) << "all of them are small enough";
  refuse(245);
  const v1::Ack& ack = agent.heard().ack();
  ASSERT_LT(ack.nacks_size(), 1000);
  EXPECT_GT(ack.ByteSizeLong(), Refusals::kMostNackBytes);
  EXPECT_LT(ack.ByteSizeLong(), Refusals::kMostNackBytes + 4096) << "one more refusal, and the count of the rest";
  EXPECT_EQ(ack.nacks(ack.nacks_size() - 1).reason(),
            std::to_string(1000 - (ack.nacks_size() - 1)) + " more records were refused");
  EXPECT_EQ(agents_.counters().refused_records, 2000U);
}

TEST_F(ReportBoundsTest, agents_without_number_are_some_lines_of_the_log) {
  constexpr int kAgents = 1500;
  testing::internal::CaptureStderr();
  for (int i = 0; i < kAgents; ++i) {
    FakeAgent& agent = connect();
    agent.hello({.node = "n" + std::to_string(i)});
    agent.end();
  }
  advance(log::Ration::kInterval);
  agents_.end_silent_streams();  // the daemon calls it each second
  const std::string text = testing::internal::GetCapturedStderr();
  std::uint64_t lines = 0;
  for (std::size_t at = 0; (at = text.find("agent session", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, AgentReports::kSessionLines) << "of twice as many as there are agents";
  EXPECT_THAT(text, HasSubstr("log lines left out kind=agents lines="));
}

TEST_F(ReportBoundsTest, an_agent_that_does_not_read_is_not_listened_to) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.written();
  agent.port().hold_writes = true;
  const int before = agent.port().reads;
  for (int i = 0; i < 20; ++i) agent.delta({encoded({.key = "a", .weight = static_cast<std::uint32_t>(i + 2)})});
  EXPECT_EQ(agent.port().reads - before, static_cast<int>(ReportSession::kMostUnwritten))
      << "what was not asked for is not sent by a real peer";
  agent.port().in_flight = false;
  agent.written();
  EXPECT_EQ(agent.port().reads - before, static_cast<int>(ReportSession::kMostUnwritten) + 1) << "it goes on";
}

TEST_F(ReportBoundsTest, an_agent_that_reads_nothing_for_30_s_is_cut) {
  FakeAgent& agent = connected({{.key = "a"}});
  advance(40s);
  agent.port().hold_writes = true;
  agent.delta({encoded({.key = "a", .weight = 2})});
  advance(29s);
  EXPECT_FALSE(agent.port().aborted);
  advance(31s);
  EXPECT_TRUE(agent.port().aborted);
  EXPECT_EQ(agents_.counters().cut, 1U);
}

TEST_F(ReportBoundsTest, an_agent_that_reads_slowly_is_not_cut) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.port().hold_writes = true;
  for (std::uint32_t i = 0; i < 10; ++i) {
    agent.delta({encoded({.key = "a", .weight = i + 2})});
    advance(20s);
    agent.port().in_flight = false;
    agent.written();
  }
  EXPECT_FALSE(agent.port().closed);
}

TEST_F(ReportBoundsTest, ids_have_a_length) {
  FakeAgent& agent = connect();
  agent.hello({.uid = std::string(257, 'u')});
  EXPECT_THAT(farewell(agent), HasSubstr("instance_uid"));
  FakeAgent& good = connect();
  good.hello({.uid = std::string(256, 'u')});
  EXPECT_TRUE(good.welcomed());
}

// An echoed epoch of 2^64-2 made the next one the last, and the one after that 0, which means not admitted.
TEST_F(ReportBoundsTest, a_forged_epoch_throws_nobody_out) {
  FakeAgent& forger = connect();
  forger.hello({.node = "forger"}, 0, ~std::uint64_t{0} - 1);
  ASSERT_TRUE(forger.welcomed());
  EXPECT_LT(forger.epoch(), AgentReports::kMostEpochAhead);
  EXPECT_EQ(agents_.counters().clamped, 1U);
  for (int i = 0; i < 3; ++i) {
    FakeAgent& next = connect();
    next.hello({.node = "n" + std::to_string(i)}, 0, ~std::uint64_t{0});
    ASSERT_TRUE(next.welcomed());
    EXPECT_GT(next.epoch(), forger.epoch());
    next.full({encoded({.key = "a"})});
    EXPECT_TRUE(next.heard().has_ack());
  }
}

// The bound counted without a word: whoever looked for the reason found a state of ten years and nothing in the log.
TEST_F(ReportBoundsTest, durations_out_of_bounds_are_counted_and_told_once_a_session) {
  const auto record = [](const std::string& key, std::int64_t in_state, std::int64_t drain_left) {
    v1::Endpoint endpoint;
    endpoint.ParseFromString(encoded({.key = key}));
    endpoint.mutable_health()->mutable_in_state()->set_seconds(in_state);
    endpoint.mutable_health()->mutable_drain_left()->set_seconds(drain_left);
    return endpoint.SerializeAsString();
  };
  constexpr std::int64_t kCentury = 100LL * 366 * 86400;
  FakeAgent& agent = connect();
  agent.hello();
  testing::internal::CaptureStderr();
  agent.full({record("a", 10LL * 366 * 86400, 7LL * 86400), record("b", 0, 0)});
  EXPECT_EQ(agents_.counters().clamped, 0U) << "the bounds themselves are within bounds";
  agent.delta({record("b", 1, kCentury), record("c", kCentury, 1), record("d\n", -1, -1)});
  for (int i = 0; i < 100; ++i) agent.delta({record("a", kCentury, 0)});
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(agents_.counters().clamped, 104U);
  constexpr std::string_view kLine = "durations of an agent are out of bounds: the bounds count";
  const auto at = log.find(kLine);
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_EQ(log.find(kLine, at + 1), std::string::npos) << "once a session: " << log;
  EXPECT_THAT(log, HasSubstr("node=eu-1/n1 endpoint=\"\\\"b\\\"\" field=health.drain_left"));
  FakeAgent& next = connect();
  next.hello();
  testing::internal::CaptureStderr();
  next.full({record("a", kCentury, 0)});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("field=health.in_state"));
}

TEST_F(ReportBoundsTest, an_honest_echo_still_counts) {
  FakeAgent& agent = connect();
  agent.hello({}, 0, 1'800'000'000);
  EXPECT_EQ(agent.epoch(), 1'800'000'001U);
  EXPECT_EQ(agents_.counters().clamped, 0U);
}

}  // namespace
}  // namespace meshdns::federation
