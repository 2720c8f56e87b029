#include "agent/app/troubles.h"

#include <gmock/gmock.h>

#include "agent/app/check_limits.h"
#include "common/time/sim_clock.h"
#include "tests/support/fakes/fake_probes.h"

namespace meshdns::agent::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A monitor of one service with many checks, each of which hangs for its whole timeout.
class TroublesTest : public testing::Test {
 protected:
  std::vector<std::string> troubles(CheckRunner::Limits limits, std::size_t checks) {
    Monitor monitor(sim, sim,
                    [this](const probes::Place& where, const auto& spec) { return world.make(where.address, spec); },
                    {[](const model::Endpoint&) {}, [](const std::string&) {}}, {"eu-1/n1", 7, limits});
    world.answer_time = 1h;
    discovery::Discovered found;
    found.key = "shop/web";
    found.endpoint.addresses = {IpAddress::parse("10.0.0.1").value()};
    for (std::size_t i = 0; i < checks; ++i) {
      found.checks.push_back(test::FakeProbes::tcp(static_cast<std::uint16_t>(i + 1)));
    }
    monitor.set_endpoints({found});
    sim.advance(1500ms);
    return troubles_of(monitor);
  }

  SimClock sim;
  test::FakeProbes world{sim, sim};
};

TEST_F(TroublesTest, checks_that_wait_for_long_are_told) {
  EXPECT_THAT(troubles({.in_flight = 8}, 7), IsEmpty());
  EXPECT_THAT(
      troubles({.in_flight = 8}, 10),
      ElementsAre(testing::MatchesRegex("3 checks cannot run yet, for up to 1\\.[0-9]s: 8 checks may run at one "
                                        "time \\(probing\\.in_flight\\)")));
}

TEST_F(TroublesTest, descriptors_that_are_missing_are_named) {
  EXPECT_THAT(troubles({.in_flight = 100, .descriptors = 4}, 6),
              ElementsAre(testing::EndsWith("checks may have 4 file descriptors at one time")));
}

TEST(CheckLimits, checks_have_half_of_the_descriptors) {
  EXPECT_EQ(check_limits(512, 65536).in_flight, 512U);
  EXPECT_EQ(check_limits(512, 65536).descriptors, 32768U);
  EXPECT_EQ(check_limits(1, 1).descriptors, 1U);
}

}  // namespace
}  // namespace meshdns::agent::app
