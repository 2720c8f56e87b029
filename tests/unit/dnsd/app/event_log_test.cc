// What changes in answers is kept and told: with real publications, on a simulated clock.
#include "dnsd/app/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/sim_clock.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::dnsd::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kHost = "web.shop.mesh.internal";

class EventLogTest : public testing::Test {
 protected:
  EventLogTest() {
    answers::AnswerSettings settings;
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    mesh_.node("eu-1/n1", "10.0.0.0/16");
    mesh_.node("us-1/n1", "10.2.0.0/16");
    for (const auto& [key, node] : mesh_.records.nodes) EXPECT_FALSE(catalog_.put_node(node, clock_.now()));
    put("eu-1/n1", "10.0.0.11", model::HealthState::Serving);
    put("us-1/n1", "10.2.0.11", model::HealthState::Serving);
    publisher_.configure(settings, {});
    publish();
  }

  void put(const std::string& node, const std::string& address, model::HealthState state,
           const std::string& service = "web", std::uint32_t weight = 1) {
    const std::string key = node + "/shop/" + service + "/" + address;
    const bool known = mesh_.records.endpoints.contains(key);
    model::Endpoint& endpoint = known ? mesh_.records.endpoints[key] : mesh_.endpoint(node, "shop/" + service, address);
    endpoint.health.state = state;
    endpoint.health.since = clock_.now();
    endpoint.health.detail = state == model::HealthState::Failing ? "http 503" : "";
    endpoint.weight = weight;
    EXPECT_TRUE(catalog_.apply_delta(node, {endpoint}, {}, clock_.now()).empty());
  }
  void publish() {
    publisher_.changed();
    publisher_.flush();
  }
  v1::EventsReply look(const std::string& host = kHost, std::uint64_t after = 0) {
    v1::EventsRequest request;
    request.set_host(host);
    request.set_after(after);
    Result<v1::EventsReply> out = Error(Code::Unavailable, "not told");
    log_.look(request, [&](Result<v1::EventsReply> reply) { out = std::move(reply); });
    return test::must(out);
  }
  /// The newest one
  v1::Event last(const std::string& host = kHost) {
    const auto reply = look(host);
    return reply.events().empty() ? v1::Event() : reply.events(reply.events_size() - 1);
  }

  test::SmallMesh mesh_;
  SimClock clock_;
  catalog::Catalog catalog_;
  publish::Publisher publisher_{catalog_, clock_, clock_, [](const std::function<void()>&) {}};
  EventLog log_{catalog_, publisher_, clock_, clock_};
};

TEST_F(EventLogTest, a_failure_and_who_gets_what_instead) {
  EXPECT_EQ(last().summary(), "1 host at the start");
  put("eu-1/n1", "10.0.0.11", model::HealthState::Failing);
  publish();
  const v1::Event event = last();
  EXPECT_EQ(event.host(), kHost);
  EXPECT_EQ(event.revision(), catalog_.revision());
  EXPECT_EQ(event.at(), clock_.unix_seconds());
  ASSERT_EQ(event.endpoints_size(), 1);
  EXPECT_EQ(event.endpoints(0).endpoint(), "10.0.0.11:8080");
  EXPECT_EQ(event.endpoints(0).before() + " " + event.endpoints(0).after(), "serving last_resort");
  EXPECT_EQ(event.endpoints(0).why(), "http 503");
  ASSERT_EQ(event.answers_size(), 1) << "clients in us-1 see no difference";
  EXPECT_THAT(event.answers(0).from(), ElementsAre("eu/zone-eu-1/eu-1"));
  EXPECT_EQ(event.answers(0).before(), "tier 0 cluster+zone: 10.0.0.11");
  EXPECT_EQ(event.answers(0).after(), "tier 1 any us-1: 10.2.0.11");
}

/// Every look at it takes 10 ms: a machine that does something else.
class BusyClock : public Clock {
 public:
  TimePoint now() const override { return TimePoint(++looks_ * 10ms); }
  std::int64_t unix_seconds() const override { return 1'800'000'000; }

 private:
  mutable std::int64_t looks_ = 0;
};

TEST_F(EventLogTest, a_small_change_is_told_however_busy_the_machine_is) {
  const BusyClock busy;
  EventLog log(catalog_, publisher_, busy, clock_);
  put("eu-1/n1", "10.0.0.11", model::HealthState::Failing);
  publish();
  v1::EventsRequest request;
  request.set_host(kHost);
  v1::EventsReply told;
  log.look(request, [&](const Result<v1::EventsReply>& reply) { told = test::must(reply); });
  ASSERT_FALSE(told.events().empty());
  EXPECT_EQ(told.events(told.events_size() - 1).endpoints_size(), 1);
}

TEST_F(EventLogTest, endpoints_that_come_go_and_weigh_something_else) {
  put("eu-1/n1", "10.0.0.12", model::HealthState::Serving);
  publish();
  EXPECT_EQ(last().endpoints(0).before(), "");
  EXPECT_EQ(last().endpoints(0).after(), "serving");
  put("eu-1/n1", "10.0.0.12", model::HealthState::Serving, "web", 7);
  publish();
  EXPECT_EQ(last().endpoints(0).before() + " > " + last().endpoints(0).after(), "serving weight 1 > serving weight 7");
  EXPECT_EQ(last().answers_size(), 0);
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/shop/web/10.0.0.12"}, clock_.now());
  publish();
  EXPECT_EQ(last().endpoints(0).after(), "");
}

TEST_F(EventLogTest, hosts_that_come_and_go) {
  put("eu-1/n1", "10.0.0.21", model::HealthState::Serving, "new");
  publish();
  const v1::Event event = last("new.shop.mesh.internal");
  EXPECT_EQ(event.summary(), "the host is new");
  EXPECT_EQ(event.answers(0).before(), "no such host");
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/shop/new/10.0.0.21"}, clock_.now());
  clock_.advance(2h);
  catalog_.forget(1h, clock_.now());
  publish();
  EXPECT_EQ(last("new.shop.mesh.internal").summary(), "the host is gone");
}

// Guards a quiet log: what changes nothing that is answered is no event.
TEST_F(EventLogTest, doubt_and_reloads_are_no_events) {
  const auto before = look().last();
  model::Endpoint endpoint = mesh_.records.endpoints.at("eu-1/n1/shop/web/10.0.0.11");
  endpoint.health.in_doubt = true;
  EXPECT_TRUE(catalog_.apply_delta("eu-1/n1", {endpoint}, {}, clock_.now()).empty());
  publish();
  publisher_.configure(publisher_.settings(), {});
  publish();
  EXPECT_EQ(look().last(), before);
}

TEST_F(EventLogTest, too_many_hosts_at_once_are_one_event) {
  for (std::size_t i = 0; i <= publish::Publication::kMostNamed; ++i) {
    put("eu-1/n1", "10.0.0.11", model::HealthState::Serving, "s" + std::to_string(i));
  }
  const auto before = look().last();
  publish();
  const auto reply = look("", before);
  ASSERT_EQ(reply.events_size(), 1);
  EXPECT_EQ(reply.events(0).summary(), "257 hosts more may have changed");
  EXPECT_EQ(last().id(), reply.events(0).id()) << "it may be any host's";
}

// A mass removal left no event at all.
TEST_F(EventLogTest, too_many_removed_hosts_are_one_event) {
  for (std::size_t i = 0; i <= publish::Publication::kMostNamed; ++i) {
    model::VirtualDestination object;
    object.meta = {.name = "d" + std::to_string(i), .namespace_ = "shop"};
    object.hosts = {object.meta.name + ".mesh.internal"};
    EXPECT_FALSE(catalog_.put_destination(object, clock_.now()));
  }
  publish();
  for (std::size_t i = 0; i <= publish::Publication::kMostNamed; ++i) {
    EXPECT_TRUE(catalog_.erase_destination("shop/d" + std::to_string(i), clock_.now()));
  }
  const auto before = look().last();
  publish();
  const auto reply = look("", before);
  ASSERT_EQ(reply.events_size(), 1);
  EXPECT_EQ(reply.events(0).summary(), "257 hosts were removed");
}

TEST_F(EventLogTest, who_waits_is_told_at_once_and_only_of_what_it_asked) {
  std::vector<v1::EventsReply> told;
  v1::EventsRequest request;
  request.set_host(kHost);
  request.set_wait(true);
  log_.look(request, [&](Result<v1::EventsReply> reply) { told.push_back(test::must(std::move(reply))); });
  EXPECT_TRUE(told.empty()) << "only what comes from now on";
  put("eu-1/n1", "10.0.0.21", model::HealthState::Serving, "other");
  publish();
  EXPECT_TRUE(told.empty());
  put("eu-1/n1", "10.0.0.11", model::HealthState::Failing);
  publish();
  ASSERT_EQ(told.size(), 1U);
  ASSERT_EQ(told[0].events_size(), 1);
  EXPECT_EQ(told[0].events(0).host(), kHost);
  request.set_after(told[0].last());
  log_.look(request, [&](Result<v1::EventsReply> reply) { told.push_back(test::must(std::move(reply))); });
  clock_.advance(EventLog::kLook);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].events_size(), 0);
  EXPECT_EQ(told[1].last(), told[0].last());
}

TEST_F(EventLogTest, at_the_end_nobody_waits_any_more) {
  int told = 0;
  v1::EventsRequest request;
  request.set_wait(true);
  const auto count = [&](const Result<v1::EventsReply>& reply) { told += reply ? 1 : 0; };
  log_.look(request, count);
  log_.shut_down();
  EXPECT_EQ(told, 1);
  log_.look(request, count);
  EXPECT_EQ(told, 2);
}

TEST_F(EventLogTest, only_so_many_wait_and_hosts_that_never_were_are_refused) {
  v1::EventsRequest request;
  request.set_wait(true);
  for (std::size_t i = 0; i < EventLog::kMostWaiting; ++i) log_.look(request, [](const auto&) {});
  std::vector<Code> codes;
  const auto note = [&](const Result<v1::EventsReply>& reply) { codes.push_back(reply.error().code()); };
  log_.look(request, note);
  request.set_wait(false);
  request.set_host("nobody.mesh.internal");
  log_.look(request, note);
  EXPECT_THAT(codes, ElementsAre(Code::Unavailable, Code::NotFound));
}

TEST_F(EventLogTest, what_operators_change_is_told_to_who_waits) {
  v1::EventsRequest request;
  request.set_wait(true);
  std::optional<v1::EventsReply> told;
  log_.look(request, [&](Result<v1::EventsReply> reply) { told = test::must(reply); });
  EXPECT_FALSE(told);
  log_.note({}, "Override/freeze created: Freeze all by alice: incident 42");
  ASSERT_TRUE(told);
  EXPECT_EQ(told->events(0).summary(), "Override/freeze created: Freeze all by alice: incident 42");
  log_.note({"Web.shop.mesh.internal"}, "VirtualDestination/shop/web created");
  EXPECT_EQ(last().summary(), "VirtualDestination/shop/web created");
  EXPECT_EQ(last().host(), kHost);
}

}  // namespace
}  // namespace meshdns::dnsd::app
