#include <memory>

#include "tests/support/health/health_server.h"
#include "tests/unit/agent/probes/grpc_probe_test.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;
using test::HealthServer;
using Mode = HealthServer::Mode;
using Status = HealthServer::Status;

/// A probe with `watch` that runs whenever it has news, as Monitor does.
class WatchTest : public GrpcProbeTest {
 protected:
  WatchTest() {
    probe_.watch([this] {
      ++news_;
      if (!running_) run();
    });
  }

  void run() {
    running_ = true;
    probe_.run(20s, [this](const ProbeResult& result) {
      running_ = false;
      last_ = result;
    });
  }
  bool until_last(Outcome outcome) {
    return until([&] { return !running_ && last_.outcome == outcome; });
  }
  /// Runs until the stream is open.
  void begin() {
    run();
    ASSERT_TRUE(until_last(Outcome::Success));
    ASSERT_TRUE(until([this] { return server_->watchers() == 1; }));
  }

  std::unique_ptr<HealthServer> server_ = std::make_unique<HealthServer>();
  GrpcProbe probe_{loop_, channels_, server_->at(), {.watch = true}};
  ProbeResult last_;
  unsigned news_ = 0;
  bool running_ = false;
};

TEST_F(WatchTest, a_change_is_known_at_once) {
  begin();
  server_->set("", Status::NotServing);
  EXPECT_TRUE(until_last(Outcome::Failure));
  EXPECT_EQ(last_, kNotServing);
  EXPECT_EQ(news_, 1U);
  server_->set("", Status::Serving);
  EXPECT_TRUE(until_last(Outcome::Success));
  EXPECT_EQ(news_, 2U);
  EXPECT_EQ(server_->watchers(), 1U) << "by the same stream";
}

TEST_F(WatchTest, the_death_of_the_server_is_known_at_once_and_its_return_too) {
  begin();
  const SocketAddress where = server_->at();
  server_.reset();
  EXPECT_TRUE(until_last(Outcome::Refused));
  EXPECT_EQ(news_, 1U);
  server_ = std::make_unique<HealthServer>(HealthServer::Options{.port = where.port});
  const auto watched_again = [this] {
    if (!running_) run();  // the interval's next check
    return server_->watchers() == 1;
  };
  EXPECT_TRUE(until(watched_again));
  EXPECT_TRUE(until_last(Outcome::Success));
  EXPECT_EQ(news_, 1U);
}

TEST_F(WatchTest, a_service_that_appears_is_news) {
  GrpcProbe probe(loop_, channels_, server_->at(), {.service = "shop.Cart", .watch = true});
  unsigned news = 0;
  probe.watch([&] { ++news; });
  EXPECT_EQ(run_probe(loop_, probe).outcome, Outcome::Failure);
  ASSERT_TRUE(until([this] { return server_->watchers() == 1; }));
  EXPECT_EQ(news, 0U);
  server_->set("shop.Cart", Status::Serving);
  EXPECT_TRUE(until([&] { return news == 1; }));
  EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success});
}

TEST_F(WatchTest, a_server_that_hangs_is_a_timeout_though_its_stream_is_open) {
  begin();
  server_->set(Mode::Silent);
  EXPECT_EQ(run_probe(loop_, probe_, 100ms).outcome, Outcome::Timeout);
  EXPECT_TRUE(until([this] { return server_->watchers() == 0; })) << "the stream goes with its connection";
}

TEST_F(WatchTest, a_server_without_watch_works_and_says_so) {
  server_->set(Mode::WithoutWatch);
  run();
  EXPECT_TRUE(until_last(Outcome::Warning));
  EXPECT_EQ(last_.detail, "the server does not implement Watch: a change is known at the next check");
  EXPECT_EQ(news_, 1U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run_probe(loop_, probe_).outcome, Outcome::Warning);
  EXPECT_EQ(news_, 1U) << "it is not asked again";
}

// Guards against a loop of news and checks, by which a server could keep the agent busy.
TEST_F(WatchTest, a_stream_that_ends_at_once_is_not_opened_again_at_once) {
  server_->set(Mode::EndsWatch);
  run();
  EXPECT_TRUE(until([this] { return news_ > 0 && !running_; }));
  pause(200ms);
  EXPECT_LE(server_->checks(), 3U);
  EXPECT_EQ(last_, ProbeResult{Outcome::Success});
}

TEST_F(WatchTest, a_status_that_changes_all_the_time_costs_a_bounded_number_of_checks) {
  begin();
  for (int i = 0; i < 5000; ++i) server_->set("", i % 2 == 0 ? Status::NotServing : Status::Serving);
  pause(350ms);
  EXPECT_LE(server_->checks(), 12U);
  EXPECT_GE(news_, 1U);
}

}  // namespace
}  // namespace meshdns::probes
