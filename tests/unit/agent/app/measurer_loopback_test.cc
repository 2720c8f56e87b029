#include <gmock/gmock.h>

#include "agent/app/measurer.h"
#include "agent/probes/tcp_probe.h"
#include "common/time/system_clock.h"
#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::agent::app {
namespace {

using report::Measurement;
using report::Reach;

// Real sockets: a listener that answers, a port that refuses, and the listener's end.
TEST(MeasurerLoopback, measures_listeners_and_sees_them_go) {
  process::EventLoop loop;
  const SystemClock clock;
  std::optional<probes::LoopbackSocket> listener(std::in_place);
  const probes::LoopbackSocket silent("127.0.0.1", -1);
  std::map<std::string, Measurement> latest;
  const auto wait_for = [&](const std::string& key, Reach reach) {
    for (int i = 0; i < 1200 && (!latest.contains(key) || latest.at(key).reach != reach); ++i) {
      loop.after(100ms, [&] { loop.stop(); });
      loop.run();
      loop.restart();
    }
    return latest.contains(key) ? latest.at(key) : Measurement{};
  };
  Measurer measurer(
      clock, loop, [&](const SocketAddress& where) { return std::make_unique<probes::TcpProbe>(loop, where); },
      [&](const Measurement& result) { latest[result.key] = result; }, 7);
  measurer.set_targets({{"alive", listener->address(), 1s}, {"dead", silent.address(), 1s}});
  const Measurement alive = wait_for("alive", Reach::Connected);
  EXPECT_EQ(alive.reach, Reach::Connected);
  EXPECT_GT(alive.rtt, 0s);
  EXPECT_LT(alive.rtt, 5s);
  EXPECT_EQ(wait_for("dead", Reach::Refused).reach, Reach::Refused);
  listener.reset();
  EXPECT_EQ(wait_for("alive", Reach::Refused).reach, Reach::Refused);
}

}  // namespace
}  // namespace meshdns::agent::app
