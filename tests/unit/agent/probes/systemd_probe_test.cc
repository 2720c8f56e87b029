#include "agent/probes/systemd_probe.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>

#include "tests/support/temporary_folder.h"
#include "tests/unit/agent/probes/fake_systemd.h"
#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

ProbeResult serving() { return {.outcome = Outcome::Success, .certain = true}; }
ProbeResult failing(const std::string& detail) {
  return {.outcome = Outcome::Failure, .detail = detail, .certain = true};
}

TEST(UnitResult, of_each_state) {
  const auto of = [](const char* load, const char* active, const char* sub) {
    return unit_result("web.service", {UnitState{load, active, sub}, ""});
  };
  EXPECT_EQ(of("loaded", "active", "running"), serving());
  EXPECT_EQ(of("loaded", "active", "exited"), serving());
  EXPECT_EQ(of("loaded", "reloading", "reload"), serving());
  EXPECT_EQ(of("loaded", "refreshing", "refresh"), serving());
  EXPECT_EQ(of("not-found", "active", "running"), serving());  // installed after systemd was asked
  EXPECT_EQ(of("loaded", "activating", "auto-restart"), failing("web.service is activating (auto-restart)"));
  EXPECT_EQ(of("loaded", "deactivating", "stop-sigterm"), failing("web.service is deactivating (stop-sigterm)"));
  EXPECT_EQ(of("loaded", "inactive", "dead"), failing("web.service is inactive (dead)"));
  EXPECT_EQ(of("loaded", "failed", "failed"), failing("web.service is failed (failed)"));
  EXPECT_EQ(of("not-found", "inactive", "dead"), failing("web.service is inactive (not-found)"));
  EXPECT_EQ(of("masked", "inactive", "dead"), failing("web.service is inactive (masked)"));
  EXPECT_EQ(unit_result("web.service", {std::nullopt, "no system bus"}),
            (ProbeResult{Outcome::Unknown, "no system bus"}));
  EXPECT_EQ(unit_result("web.service", {}), (ProbeResult{Outcome::Unknown, "systemd has not answered yet"}));
}

class SystemdProbeTest : public testing::Test {
 protected:
  void SetUp() override {
    bus_.emplace(folder_.path());
    ASSERT_TRUE(std::filesystem::exists(folder_.path("bus"))) << "dbus-daemon does not start";
    systemd_.emplace(bus_->address());
  }

  UnitStates::Options options() const {
    return {.address = "unix:path=" + folder_.path("bus"), .first_pause = 10ms, .longest_pause = 20ms, .patience = 60s};
  }

  /// Runs the probe until it says what is expected, as often as it has news.
  ProbeResult becomes(Probe& probe, Outcome wanted) {
    ProbeResult got = run_probe(loop_, probe);
    for (int i = 0; i < 6000 && got.outcome != wanted; ++i) {
      loop_.after(10ms, [this] { loop_.stop(); });
      loop_.run();
      loop_.restart();
      got = run_probe(loop_, probe);
    }
    return got;
  }

  process::EventLoop loop_;
  test::TemporaryFolder folder_;
  std::optional<PrivateBus> bus_;
  std::optional<FakeSystemd> systemd_;
};

TEST_F(SystemdProbeTest, a_unit_is_followed_without_asking_again) {
  systemd_->set("web.service", "active", "running");
  UnitStates states(loop_, options());
  SystemdProbe probe(loop_, states, {"web.service"});
  unsigned news = 0;
  probe.watch([&] { ++news; });
  EXPECT_EQ(run_probe(loop_, probe), serving());
  const unsigned asked = systemd_->calls();
  EXPECT_EQ(asked, 2U);
  systemd_->set("web.service", "deactivating", "stop-sigterm");
  EXPECT_EQ(becomes(probe, Outcome::Failure), failing("web.service is deactivating (stop-sigterm)"));
  EXPECT_GE(news, 1U);
  systemd_->set("web.service", "active", "running");
  EXPECT_EQ(becomes(probe, Outcome::Success), serving());
  EXPECT_GE(news, 2U);
  EXPECT_EQ(systemd_->calls(), asked);
}

TEST_F(SystemdProbeTest, news_comes_without_a_run) {
  systemd_->set("web.service", "active", "running");
  UnitStates states(loop_, options());
  SystemdProbe probe(loop_, states, {"web.service"});
  EXPECT_EQ(run_probe(loop_, probe), serving());
  probe.watch([this] { loop_.stop(); });
  systemd_->set("web.service", "failed", "failed");
  loop_.run();  // ends by the news
  loop_.restart();
  EXPECT_EQ(run_probe(loop_, probe), failing("web.service is failed (failed)"));
}

TEST_F(SystemdProbeTest, a_second_name_and_a_name_of_no_unit) {
  systemd_->set("web.service", "active", "running");
  UnitStates states(loop_, options());
  SystemdProbe alias(loop_, states, {"alias.service"});
  EXPECT_EQ(run_probe(loop_, alias), serving());
  systemd_->set("web.service", "failed", "failed");
  EXPECT_EQ(becomes(alias, Outcome::Failure), failing("alias.service is failed (failed)"));
  SystemdProbe unknown(loop_, states, {"other.service"});
  EXPECT_EQ(run_probe(loop_, unknown), failing("other.service is inactive (not-found)"));
  SystemdProbe wrong(loop_, states, {"web"});
  EXPECT_EQ(run_probe(loop_, wrong),
            (ProbeResult{Outcome::Unknown, "systemd does not know web: Unit name is not valid."}));
}

TEST_F(SystemdProbeTest, many_probes_share_what_is_known) {
  systemd_->set("web.service", "active", "running");
  UnitStates states(loop_, options());
  {
    SystemdProbe one(loop_, states, {"web.service"});
    SystemdProbe two(loop_, states, {"web.service"});
    EXPECT_EQ(run_probe(loop_, one), serving());
    EXPECT_EQ(run_probe(loop_, two), serving());
    EXPECT_EQ(states.units(), 1U);
    EXPECT_EQ(systemd_->calls(), 2U);
  }
  EXPECT_EQ(states.units(), 0U);
}

TEST_F(SystemdProbeTest, without_a_bus_it_is_unknown_until_the_bus_is_back) {
  systemd_->set("web.service", "active", "running");
  UnitStates states(loop_, options());
  SystemdProbe probe(loop_, states, {"web.service"});
  EXPECT_EQ(run_probe(loop_, probe), serving());
  bus_->stop();
  systemd_.reset();
  EXPECT_NE(becomes(probe, Outcome::Unknown).detail.find("system bus"), std::string::npos);
  EXPECT_FALSE(states.problem().empty());
  bus_->start();
  systemd_.emplace(bus_->address());
  systemd_->set("web.service", "active", "running");
  EXPECT_EQ(becomes(probe, Outcome::Success), serving());
  EXPECT_EQ(states.problem(), "");
}

TEST_F(SystemdProbeTest, a_manager_that_leaves_the_bus_and_comes_back) {
  systemd_->set("web.service", "active", "running");
  UnitStates states(loop_, options());
  SystemdProbe probe(loop_, states, {"web.service"});
  EXPECT_EQ(run_probe(loop_, probe), serving());
  systemd_.reset();
  EXPECT_EQ(becomes(probe, Outcome::Unknown).detail.substr(0, 25), "systemd is not on the bus");
  systemd_.emplace(bus_->address());
  systemd_->set("web.service", "failed", "failed");
  EXPECT_EQ(becomes(probe, Outcome::Failure), failing("web.service is failed (failed)"));
}

TEST_F(SystemdProbeTest, a_manager_that_hangs) {
  systemd_->hang();
  UnitStates::Options impatient = options();
  impatient.patience = 200ms;
  UnitStates states(loop_, impatient);
  SystemdProbe probe(loop_, states, {"web.service"});
  EXPECT_EQ(run_probe(loop_, probe, 50ms), (ProbeResult{Outcome::Unknown, "systemd has not answered yet"}));
  EXPECT_EQ(run_probe(loop_, probe), (ProbeResult{Outcome::Unknown, "the system bus does not answer"}));
}

TEST_F(SystemdProbeTest, no_bus_at_all) {
  UnitStates::Options nowhere = options();
  nowhere.address = "unix:path=" + folder_.path("none");
  UnitStates states(loop_, nowhere);
  SystemdProbe probe(loop_, states, {"web.service"});
  EXPECT_EQ(run_probe(loop_, probe), (ProbeResult{Outcome::Unknown, "no system bus: no such file or directory"}));
}

TEST_F(SystemdProbeTest, nothing_is_left_over_whatever_comes) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto open_descriptors = [] {
    std::size_t out = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) out += entry.exists() ? 1 : 0;
    return out;
  };
  const std::vector<std::string> states_of_units = {"active", "failed", "activating"};
  UnitStates states(loop_, options());
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 600; ++i) {
    const std::string unit = random() % 2 == 0 ? "web.service" : "db.service";
    systemd_->set(unit, states_of_units[random() % states_of_units.size()], "x");
    SystemdProbe probe(loop_, states, {unit});
    probe.watch([] {});
    if (random() % 3 == 0) {
      probe.run(60s, [](const ProbeResult&) { FAIL() << "called after the end of the probe"; });
    } else {
      EXPECT_NE(run_probe(loop_, probe).outcome, Outcome::Unknown);
    }
  }
  loop_.after(10ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(states.units(), 0U);
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace meshdns::probes
