// A property: whatever comes of the checks, they leave no descriptor, thread or timer behind.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "agent/probes/http_probe.h"
#include "agent/probes/tcp_probe.h"
#include "common/process/asio_loop.h"
#include "tests/unit/agent/probes/scripted_server.h"

namespace meshdns::probes {
namespace {

constexpr unsigned kRuns = 10'000;
constexpr std::size_t kAtOnce = 8;

std::size_t entries(const char* folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// What a server does with one connection, by its number.
ScriptedServer::Script any_behaviour(unsigned seed) {
  return [random = std::make_shared<std::minstd_rand>(seed)](ScriptedServer::Peer& peer) {
    const auto what = (*random)() % 6;
    if (what == 0) return peer.reset();
    if (what == 1) return;
    const std::string request = peer.request();
    if (what == 2) return peer.reset();
    if (what == 3) peer.send("garbage\r\n");
    if (what == 4) peer.send("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n");
    if (what == 5) peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    peer.send(what == 5 && !peer.request().empty() ? "HTTP/1.1 204 x\r\n\r\n" : "");
  };
}

/// Runs several probes at the same time, over and over. Some checks are replaced or ended before they are done.
class Runs {
 public:
  Runs(process::EventLoop& loop, const SocketAddress& server, unsigned seed)
      : loop_(loop), server_(server), closed_("127.0.0.1", -1), random_(seed), probes_(kAtOnce) {}

  void run() {
    for (std::size_t i = 0; i < kAtOnce; ++i) start(i);
    loop_.run();
    loop_.restart();
    probes_.clear();
  }
  unsigned successes() const { return successes_; }

 private:
  std::unique_ptr<Probe> new_probe() {
    const SocketAddress where = random_() % 8 == 0 ? closed_.address() : server_;
    if (random_() % 2 == 0) return std::make_unique<HttpProbe>(loop_, where, HttpCheck{});
    return std::make_unique<TcpProbe>(loop_, where, TcpCheck{.send = "\r\n\r\n", .expect = "HTTP"});
  }

  /// Starts the next run of a probe, when the last one is done or is to be replaced.
  void start(std::size_t at) {
    if (runs_ >= kRuns) {
      if (++ended_ == kAtOnce) loop_.stop();
      return;
    }
    ++runs_;
    if (probes_[at] == nullptr || random_() % 4 == 0) probes_[at] = new_probe();
    if (random_() % 8 == 0) probes_[at]->reconnect();
    const Duration timeout = random_() % 16 == 0 ? 1us : 50ms;
    probes_[at]->run(timeout, [this, at](const health::ProbeResult& result) {
      if (result.outcome == health::Outcome::Success) ++successes_;
      loop_.post([this, at] { start(at); });  // it may destroy the probe, which is still on the stack here
    });
    if (random_() % 16 == 0 && runs_ < kRuns) start(at);
  }

  process::EventLoop& loop_;
  SocketAddress server_;
  LoopbackSocket closed_;
  std::minstd_rand random_;
  std::vector<std::unique_ptr<Probe>> probes_;
  unsigned runs_ = 0;
  std::size_t ended_ = 0;  // probes that have made their last run
  unsigned successes_ = 0;
};

TEST(ProbeLeaks, many_runs_with_any_outcome_leave_nothing_behind) {
  const unsigned seed = 1;
  process::EventLoop loop;
  const ScriptedServer server({any_behaviour(seed)});
  TcpProbe first(loop, LoopbackSocket("127.0.0.1", -1).address());
  std::ignore = run_probe(loop, first);  // what the loop needs for ever is open now
  const std::size_t descriptors = entries("/proc/self/fd");
  const std::size_t threads = entries("/proc/self/task");
  {
    Runs runs(loop, server.address(), seed);
    runs.run();
    EXPECT_GT(runs.successes(), kRuns / 50) << "seed " << seed;
  }
  loop.post([&] { loop.stop(); });  // what was cancelled ends
  loop.run();
  EXPECT_EQ(entries("/proc/self/task"), threads);
  EXPECT_LE(entries("/proc/self/fd"), descriptors + 1) << "the server may have one connection left";
  EXPECT_TRUE(loop.asio().timers.empty());
}

}  // namespace
}  // namespace meshdns::probes
