#include "agent/app/drains.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "common/base/whole_file.h"
#include "common/time/sim_clock.h"
#include "tests/support/temporary_folder.h"

namespace meshdns::agent::app {
namespace {

using model::HealthState;

class DrainsTest : public testing::Test {
 protected:
  DrainsTest() { start(); }

  /// As after a restart of the agent: the endpoints are put again.
  void start() {
    told_.clear();
    drains_.emplace(clock_, clock_,
                    Monitor::Sink{[this](const model::Endpoint& endpoint) { told_[endpoint.key] = endpoint; },
                                  [this](const std::string& key) { told_.erase(key); }},
                    path());
    drains_->load();
    put("web");
    put("db");
  }
  std::string path() const { return folder_.path("state/n1.drains"); }
  void put(const std::string& service, HealthState state = HealthState::Serving) {
    model::Endpoint endpoint;
    endpoint.key = "shop/" + service + "/10.0.0.1:80";
    endpoint.namespace_ = "shop";
    endpoint.service = service;
    endpoint.health = {.state = state, .since = clock_.now()};
    drains_->put(endpoint);
  }
  HealthState state(const std::string& service) const {
    return told_.at("shop/" + service + "/10.0.0.1:80").health.state;
  }

  SimClock clock_;
  test::TemporaryFolder folder_;
  std::map<std::string, model::Endpoint> told_;
  std::optional<Drains> drains_;
};

TEST_F(DrainsTest, without_drains_all_passes_unchanged) {
  EXPECT_EQ(state("web"), HealthState::Serving);
  drains_->remove("shop/web/10.0.0.1:80");
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(DrainsTest, a_drain_is_reported_at_once_and_taken_back_at_once) {
  EXPECT_EQ(drains_->drain("shop/web", "deploy", std::nullopt).value(), "");
  EXPECT_EQ(state("web"), HealthState::Draining);
  EXPECT_EQ(state("db"), HealthState::Serving);
  EXPECT_EQ(drains_->undrain("shop/web").value(), "");
  EXPECT_EQ(state("web"), HealthState::Serving);
}

TEST_F(DrainsTest, a_drained_node_drains_what_is_listed_later_and_follows_its_health) {
  ASSERT_TRUE(drains_->drain("", "kernel", 30min));
  put("cache");
  EXPECT_EQ(state("cache"), HealthState::Draining);
  put("cache", HealthState::Failing);
  EXPECT_EQ(state("cache"), HealthState::Failing);
}

TEST_F(DrainsTest, a_drain_ends_in_time) {
  ASSERT_TRUE(drains_->drain("", "kernel", 3h));
  clock_.advance(3h - 1ns);
  EXPECT_EQ(state("web"), HealthState::Draining);
  clock_.advance(1ns);
  EXPECT_EQ(state("web"), HealthState::Serving);
  EXPECT_TRUE(drains_->drains().empty());
  EXPECT_EQ(clock_.pending(), 0U);
}

TEST_F(DrainsTest, a_restart_keeps_drains_and_their_ends) {
  ASSERT_TRUE(drains_->drain("", "kernel", 30min));
  clock_.advance(10min);
  start();
  EXPECT_EQ(state("web"), HealthState::Draining);
  clock_.advance(20min);
  EXPECT_EQ(state("web"), HealthState::Serving);
  start();
  EXPECT_EQ(state("web"), HealthState::Serving);
}

TEST_F(DrainsTest, a_drain_that_ended_while_no_agent_ran_is_over) {
  ASSERT_TRUE(drains_->drain("", "kernel", 30min));
  drains_.reset();
  clock_.advance(1h);
  start();
  clock_.advance(Duration::zero());
  EXPECT_EQ(state("web"), HealthState::Serving);
}

TEST_F(DrainsTest, an_unknown_target_is_refused) {
  EXPECT_EQ(drains_->drain("shop/wbe", "x", std::nullopt).error(),
            Error(Code::NotFound, "no endpoint of this node is shop/wbe (did you mean shop/web?)"));
  EXPECT_EQ(drains_->undrain("").error(), Error(Code::NotFound, "this node is not drained"));
  ASSERT_TRUE(drains_->drain("shop/db", "x", std::nullopt));
  EXPECT_EQ(drains_->undrain("shop/web").error().message(), "shop/web is not drained; drained: shop/db");
}

TEST_F(DrainsTest, a_file_that_cannot_be_written_does_not_stand_in_the_way) {
  std::ofstream(folder_.path("state")) << "a file where the folder should be";
  const auto warning = drains_->drain("", "kernel", std::nullopt);
  ASSERT_TRUE(warning);
  EXPECT_THAT(*warning, testing::StartsWith("drains are forgotten at a restart: "));
  EXPECT_EQ(drains_->trouble(), *warning);
  EXPECT_EQ(state("web"), HealthState::Draining);
  std::filesystem::remove(folder_.path("state"));
  ASSERT_TRUE(drains_->undrain(""));
  EXPECT_EQ(drains_->trouble(), "");
}

TEST_F(DrainsTest, a_broken_file_is_told_and_put_aside) {
  ASSERT_TRUE(drains_->drain("", "kernel", std::nullopt));
  std::ofstream(path()) << "no drain\n";
  start();
  EXPECT_EQ(state("web"), HealthState::Serving);
  EXPECT_THAT(drains_->trouble(), testing::HasSubstr(path() + ".broken: line 1 is no drain"));
  ASSERT_TRUE(drains_->drain("shop/db", "x", std::nullopt));
  EXPECT_EQ(read_file(path() + ".broken").value(), "no drain\n");
}

}  // namespace
}  // namespace meshdns::agent::app
