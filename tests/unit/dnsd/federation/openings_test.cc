// Streams whose peers do not say who they are.
#include "dnsd/federation/openings.h"

#include "dnsd/federation/watchers.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(OpeningsTest, each_is_due_once_in_order_and_those_that_are_gone_are_not) {
  Openings<int> openings;
  TimePoint now{};
  auto first = std::make_shared<int>(1);
  auto gone = std::make_shared<int>(2);
  auto third = std::make_shared<int>(3);
  openings.opened(first, now);
  openings.opened(gone, now);
  openings.opened(third, now + 1s);
  gone.reset();
  std::vector<int> late;
  const auto look = [&](TimePoint at) {
    openings.each_due(at, [&](const std::shared_ptr<int>& session) { late.push_back(*session); });
  };
  look(now + 9s);
  EXPECT_TRUE(late.empty());
  look(now + 10s);
  EXPECT_THAT(late, ElementsAre(1));
  look(now + 20s);
  look(now + 60s);
  EXPECT_THAT(late, ElementsAre(1, 3));
}

TEST_F(FederationTest, a_stream_without_hello_is_told_to_go_and_cut) {
  FakeAgent& silent = connect();
  FakeAgent& good = connected({{.key = "a"}});
  for (int i = 0; i < 9; ++i) {
    advance(1s);
    good.heartbeat();
    agents_.end_silent_streams();
  }
  EXPECT_FALSE(silent.port().closed);
  advance(1s);
  agents_.end_silent_streams();
  EXPECT_TRUE(silent.port().closed);
  EXPECT_FALSE(good.port().closed);
  const v1::Goodbye& goodbye = silent.port().sent.back().goodbye();
  EXPECT_EQ(goodbye.reason(), v1::Goodbye::PROTOCOL_ERROR);
  EXPECT_THAT(goodbye.message(), HasSubstr("no Hello"));
  advance(ReportSession::kLongestEnd);
  EXPECT_TRUE(silent.port().aborted) << "it does not read that";
}

TEST_F(FederationTest, a_stream_without_subscribe_is_told_to_go_and_cut) {
  Feed feed(catalog_, v1::Origin(), 1, [](auto, const auto&) { return nullptr; });
  Watchers watchers(feed, clock_, clock_);
  const auto port = std::make_shared<test::FakePort<EncodedReply>>();
  const auto good_port = std::make_shared<test::FakePort<EncodedReply>>();
  const auto session = watchers.open(port, "", identity::Caller::everybody());
  const auto good = watchers.open(good_port, "", identity::Caller::everybody());
  v1::WatchRequest subscribe;
  subscribe.mutable_subscribe()->set_mode(v1::Subscribe::REPLICA);
  good->received(subscribe);
  advance(Openings<WatchSession>::kPatience);
  watchers.end_silent_streams();
  EXPECT_TRUE(port->closed);
  v1::WatchReply reply;
  ASSERT_TRUE(reply.ParseFromString(*port->sent.back()));
  EXPECT_EQ(reply.goodbye().reason(), v1::Goodbye::PROTOCOL_ERROR);
  EXPECT_FALSE(port->aborted);
  advance(Openings<WatchSession>::kPatience);
  watchers.end_silent_streams();
  EXPECT_TRUE(port->aborted) << "it does not read that";
  EXPECT_FALSE(good_port->closed);
}

}  // namespace
}  // namespace meshdns::federation
