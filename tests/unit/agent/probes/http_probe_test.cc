#include "agent/probes/http_probe.h"

#include <gtest/gtest.h>

#include "common/http/server.h"
#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

class HttpProbeTest : public testing::Test {
 protected:
  HttpProbeTest()
      : server_(http::Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), [this](const auto& request) {
                  asked_ = request.path;
                  return http::Response{.status = status_};
                }).value()) {}

  ProbeResult answered_with(int status, StatusRange expected = {}) {
    status_ = status;
    HttpProbe probe(loop_, server_->bound(), {.path = "/healthz", .status = {expected}});
    return run_probe(loop_, probe);
  }

  process::EventLoop loop_;
  int status_ = 200;
  std::string asked_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(HttpProbeTest, the_status_decides) {
  EXPECT_EQ(answered_with(200), ProbeResult{Outcome::Success});
  EXPECT_EQ(asked_, "/healthz");
  EXPECT_EQ(answered_with(399), ProbeResult{Outcome::Success});
  EXPECT_EQ(answered_with(404), (ProbeResult{Outcome::Failure, "http 404"}));
  EXPECT_EQ(answered_with(503), (ProbeResult{Outcome::Failure, "http 503"}));
}

TEST_F(HttpProbeTest, another_status_may_be_the_expected_one) {
  EXPECT_EQ(answered_with(401, {.lowest = 401, .highest = 401}), ProbeResult{Outcome::Success});
  EXPECT_EQ(answered_with(200, {.lowest = 401, .highest = 401}), (ProbeResult{Outcome::Failure, "http 200"}));
}

TEST_F(HttpProbeTest, refusal_and_silence) {
  const LoopbackSocket no_listener("127.0.0.1", -1);
  HttpProbe refused(loop_, no_listener.address(), {});
  EXPECT_EQ(run_probe(loop_, refused), (ProbeResult{Outcome::Refused, "connection refused"}));
  const LoopbackSocket mute;
  HttpProbe silence(loop_, mute.address(), {});
  EXPECT_EQ(run_probe(loop_, silence, 50ms), (ProbeResult{Outcome::Timeout, "timeout after 50ms"}));
}

TEST_F(HttpProbeTest, nothing_is_called_after_its_end) {
  unsigned calls = 0;
  {
    HttpProbe probe(loop_, server_->bound(), {});
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
  }
  loop_.after(50ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 0U);
}

}  // namespace
}  // namespace meshdns::probes
