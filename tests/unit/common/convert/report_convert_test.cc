#include "common/convert/report_convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <tuple>

#include "common/convert/peer_bounds.h"

namespace meshdns::convert {
namespace {

using testing::HasSubstr;

constexpr TimePoint kNow{std::chrono::hours(5)};

model::Endpoint endpoint() {
  model::Endpoint out;
  out.key = "eu-1/n1/shop/web/10.0.0.1:80";
  out.uid = "u";
  out.source = "static";
  out.namespace_ = "shop";
  out.service = "web";
  out.labels = {{"app", "web"}};
  out.addresses = {IpAddress::parse("10.0.0.1").value(), IpAddress::parse("fd00::1").value()};
  out.ports = {{"http", 80, "TCP", "http"}, {"dns", 53, "UDP", ""}};
  out.weight = 7;
  out.health = {.state = model::HealthState::Failing, .in_doubt = true, .detail = "http 503", .since = kNow - 90s};
  out.health.drain_until = kNow + 30s;
  out.health.v6 = model::HealthState::Pending;
  out.node = "eu-1/n1";
  out.mapped = {{"TCP", 443, 8443, ""}, {"UDP", 53, 5353, "a process listens on 0.0.0.0:53"}};
  out.memberships = {{.service = "api", .ports = {{"http", 80, "TCP", "http"}}, .hostname = "web-0", .exported = true},
                     {.service = "web", .ports = {}, .hostname = "", .not_ready_too = true}};
  return out;
}

v1::Endpoint on_the_wire() {
  model::Endpoint own = endpoint();
  own.key = "shop/web/10.0.0.1:80";  // the agent's key: the node is known by the session
  return to_wire(own, kNow);
}

TEST(ReportConvert, endpoints_come_back_as_they_were) {
  EXPECT_EQ(from_wire(on_the_wire(), "eu-1/n1", kNow).value(), endpoint());
}

TEST(ReportConvert, moments_travel_as_durations) {
  const auto later = from_wire(on_the_wire(), "eu-1/n1", kNow + 1h).value();
  EXPECT_EQ(later.health.since, kNow + 1h - 90s);
  EXPECT_EQ(later.health.drain_until, kNow + 1h + 30s);
}

TEST(ReportConvert, bad_records_name_the_field) {
  const auto message = [](auto change) {
    v1::Endpoint record = on_the_wire();
    change(record);
    const auto result = from_wire(record, "n", kNow);
    return result ? std::string("taken") : result.error().message();
  };
  EXPECT_THAT(message([](auto& record) { record.clear_key(); }), HasSubstr("key"));
  EXPECT_THAT(message([](auto& record) { *record.add_addresses() = "abc"; }), HasSubstr("addresses"));
  EXPECT_THAT(message([](auto& record) { record.mutable_ports(1)->set_number(70000); }), HasSubstr("ports[1].number"));
  EXPECT_THAT(message([](auto& record) { record.mutable_memberships(0)->mutable_ports(0)->set_number(70000); }),
              HasSubstr("memberships[0].ports[0].number"));
  EXPECT_THAT(message([](auto& record) { record.mutable_mapped(1)->set_target(70000); }), HasSubstr("mapped[1]"));
  EXPECT_THAT(message([](auto& record) { record.mutable_health()->clear_state(); }), HasSubstr("health.state"));
  EXPECT_THAT(message([](auto& record) { record.mutable_health()->set_v4(v1::Health::FAILING); }), HasSubstr("health"));
  EXPECT_EQ(message([](auto&) {}), "taken");
}

TEST(ReportConvert, nodes_come_back_with_their_key) {
  model::Node node;
  node.key = "eu-1/n1";
  node.locality = {"corp", "eu", "eu-a", "", "eu-1", "n1"};
  node.addresses = {IpAddress::parse("10.0.0.1").value()};
  node.prefixes = {Prefix::parse("10.0.0.0/24").value()};
  EXPECT_EQ(from_wire(to_wire(node)).value(), node);
  v1::Node bad = to_wire(node);
  bad.add_prefixes("10.0.0.1/8");
  EXPECT_THAT(from_wire(bad).error().message(), HasSubstr("node.prefixes"));
  bad = to_wire(node);
  bad.mutable_locality()->clear_cluster();
  EXPECT_THAT(from_wire(bad).error().message(), HasSubstr("cluster"));
}

TEST(ReportConvert, hashes_tell_key_from_bytes) {
  EXPECT_EQ(record_hash("a", "bc"), record_hash("a", "bc"));
  EXPECT_NE(record_hash("a", "bc"), record_hash("ab", "c"));
}

TEST(ReportConvert, durations_stay_in_range) {
  google::protobuf::Duration huge;
  huge.set_seconds(std::numeric_limits<std::int64_t>::max());
  EXPECT_GT(TimePoint{} + from_wire(huge), TimePoint{});
  EXPECT_EQ(from_wire(to_wire(Duration(1500ms))), Duration(1500ms));
}

// A peer's 10^9 s or -100 years must neither stop this side nor overflow what is counted from it.
TEST(ReportConvert, durations_of_peers_are_clamped) {
  const auto clamped = [](std::int64_t seconds) {
    google::protobuf::Duration duration;
    duration.set_seconds(seconds);
    return from_wire(duration, 1s, 5min);
  };
  EXPECT_EQ(clamped(7), 7s);
  EXPECT_EQ(clamped(0), 1s);
  EXPECT_EQ(clamped(1'000'000'000), 5min);
  EXPECT_EQ(clamped(-1'000'000'000), 1s);
  EXPECT_EQ(clamped(std::numeric_limits<std::int64_t>::max()), 5min);
  EXPECT_EQ(clamped(std::numeric_limits<std::int64_t>::min()), 1s);
}

TEST(ReportConvert, states_and_drains_of_agents_are_clamped) {
  v1::Endpoint endpoint;
  endpoint.set_key("a");
  endpoint.set_source("files");
  endpoint.set_service("web");
  endpoint.set_namespace_("shop");
  endpoint.add_addresses(std::string("\x0a\0\0\x01", 4));
  endpoint.mutable_health()->set_state(v1::Health::DRAINING);
  constexpr std::int64_t kCentury = 100LL * 366 * 86400;
  const TimePoint now{std::chrono::hours(1)};
  for (const auto& [said, lasted, left] : {std::tuple{kCentury, kLongestState, kLongestDrain},
                                           std::tuple{-kCentury, Duration::zero(), Duration::zero()}}) {
    endpoint.mutable_health()->mutable_in_state()->set_seconds(said);
    endpoint.mutable_health()->mutable_drain_left()->set_seconds(said);
    const auto read = from_wire(endpoint, "eu/n1", now);
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(now - read->health.since, lasted);
    EXPECT_EQ(*read->health.drain_until - now, left);
  }
}

}  // namespace
}  // namespace meshdns::convert
