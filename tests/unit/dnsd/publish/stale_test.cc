// A1 and A6 over simulated time: a replica whose federation is gone for an hour, and for 30 days.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/convert/report_convert.h"
#include "dnsd/publish/freshness.h"
#include "tests/support/mesh/asker.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::publish {
namespace {

constexpr Duration kStaleAfter = 30s;
const std::string kName = "web.shop.mesh.internal.";

/// A replica as the daemon puts it together, but for its sockets and its file.
class StaleTest : public testing::Test {
 protected:
  StaleTest() {
    answers::AnswerSettings settings;
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    publisher_.configure(settings, {});
    federation_.report(1);
    connect();
    freshness_.watch();
  }

  void connect() {
    link_.emplace(federation_, subscriber_);
    carry();
  }
  void carry() {
    link_->carry();
    publisher_.changed();
  }
  /// Time in which the federation is heard.
  void live(Duration span) {
    for (Duration done{}; done < span; done += federation::Watchers::kHeartbeat) {
      clock_.advance(federation::Watchers::kHeartbeat);
      federation_.watchers().heartbeat();
      carry();
      expect_answer(false);
    }
  }
  Duration silence() const { return clock_.now() - subscriber_.follower.last_heard(); }
  void expect_answer(bool stale) {
    publisher_.flush();
    test::Asker asker(publisher_.table().get());
    const test::Reply reply = asker.ask_edns(kName, wire::Type::A);
    ASSERT_EQ(reply.rcode, 0) << "after " << silence() / 1s << " s";
    ASSERT_EQ(reply.answer, std::vector<std::string>{kName + " 5 IN A 10.0.0.11"})
        << "after " << silence() / 1s << " s";
    ASSERT_EQ(reply.ede() == "3", stale) << "after " << silence() / 1s << " s: " << reply.ede();
    ASSERT_EQ(asker.ask(kName, wire::Type::A).answer, reply.answer) << "without EDNS";
  }
  /// Silence, with a question each `step`: no EDE 3 before kStaleAfter, always EDE 3 from a look later on.
  void be_alone(Duration span, Duration step) {
    link_.reset();
    const auto publications = publisher_.publications();
    for (Duration done{}; done < span; done += step) {
      clock_.advance(step);
      if (silence() <= kStaleAfter) expect_answer(false);
      if (silence() > kStaleAfter + Freshness::kInterval) expect_answer(true);
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(publisher_.publications(), publications + 1) << "that it is stale is published once";
  }

  SimClock clock_;
  federation::Federation federation_{clock_};
  federation::Subscriber subscriber_{clock_};
  Publisher publisher_{subscriber_.catalog, clock_, clock_, [](const std::function<void()>&) {}};
  Freshness freshness_{clock_, publisher_, {[this] { return silence(); }, [] { return Duration(kStaleAfter); }}};
  std::optional<federation::Link> link_;
};

TEST_F(StaleTest, A1_an_hour_without_the_federation_changes_no_answer) {
  live(60s);
  be_alone(1h, 250ms);
  EXPECT_GE(silence(), 1h) << "what the age metric shows";
  federation_.put_destination("other", 80);
  connect();
  clock_.advance(Freshness::kInterval);
  expect_answer(false);
  EXPECT_EQ(link_->story().back(), "delta 1..2") << "it goes on from what it had";
}

TEST_F(StaleTest, A6_thirty_days_without_the_federation_change_no_answer) {
  live(10s);
  be_alone(24h * 30, 1min);
  EXPECT_GE(silence(), 24h * 30) << "the age goes on rising";
  EXPECT_EQ(subscriber_.keys().size(), 1U) << "nothing expires";
  connect();
  clock_.advance(Freshness::kInterval);
  expect_answer(false);
  EXPECT_EQ(link_->story(), std::vector<std::string>{"status"});
}

}  // namespace
}  // namespace meshdns::publish
