#include "agent/probes/udp_probe.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <random>

#include "tests/unit/agent/probes/held.h"
#include "tests/unit/agent/probes/loopback.h"
#include "tests/unit/agent/probes/udp_server.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

class UdpProbeTest : public testing::Test {
 protected:
  ProbeResult probe(const SocketAddress& where, UdpCheck check, Duration timeout = 20s) {
    UdpProbe probe(loop_, where, std::move(check));
    return run_probe(loop_, probe, timeout);
  }

  process::EventLoop loop_;
  std::vector<std::string> said_;  // by the server
  std::string heard_;
  UdpServer server_{loop_, [this](std::string_view datagram) {
                      heard_ = datagram;
                      return said_;
                    }};
};

/// What a server sends back, and the verdict.
struct Case {
  std::string expect;
  std::vector<std::string> said;
  ProbeResult result;
};

TEST_F(UdpProbeTest, the_first_answer_decides) {
  const std::array cases = {
      Case{"pong", {"pong"}, {Outcome::Success, ""}},
      Case{"pong", {"a ping-pong ball"}, {Outcome::Success, ""}},
      Case{"pong", {std::string(60'000, 'x') + "pong"}, {Outcome::Success, ""}},
      Case{"pong", {"busy", "pong"}, {Outcome::Failure, "unexpected answer: busy"}},
      Case{"pong", {""}, {Outcome::Failure, "unexpected answer: "}},
      Case{"pong", {"\x1b[2J\n"}, {Outcome::Failure, "unexpected answer: \\u001b[2J\\n"}},
      Case{"", {"anything"}, {Outcome::Success, ""}},
      Case{"", {""}, {Outcome::Success, ""}},
  };
  for (const auto& [expect, said, result] : cases) {
    said_ = said;
    EXPECT_EQ(probe(server_.at(), {.send = "ping", .expect = expect}), result);
    EXPECT_EQ(heard_, "ping");
  }
}

TEST_F(UdpProbeTest, silence_fails_only_if_an_answer_is_expected) {
  EXPECT_EQ(probe(server_.at(), {.send = "ping", .expect = "pong"}, 50ms),
            (ProbeResult{Outcome::Timeout, "timeout after 50ms"}));
  EXPECT_EQ(probe(server_.at(), {.send = "ping"}, 50ms), ProbeResult{Outcome::Success});
  EXPECT_EQ(probe(server_.at(), {}, 20s), ProbeResult{Outcome::Success}) << "an empty datagram is sent, too";
  EXPECT_EQ(server_.received(), 3U);
}

TEST_F(UdpProbeTest, a_refusal_always_fails) {
  const SocketAddress nobody = unused_udp_address(loop_);
  EXPECT_EQ(probe(nobody, {.send = "ping"}), (ProbeResult{Outcome::Refused, "connection refused"}));
  EXPECT_EQ(probe(nobody, {.expect = "pong"}), (ProbeResult{Outcome::Refused, "connection refused"}));
}

TEST_F(UdpProbeTest, ipv6) {
  if (!LoopbackSocket("::1").bound()) GTEST_SKIP() << "no IPv6 on this machine";
  UdpServer server(
      loop_, [](std::string_view) { return std::vector<std::string>{"pong"}; }, "::1");
  EXPECT_EQ(probe(server.at(), {.expect = "pong"}), ProbeResult{Outcome::Success});
}

// Guards against an answer of somebody else: the socket is connected.
TEST_F(UdpProbeTest, what_comes_from_another_address_is_no_answer) {
  said_ = {"pong"};
  server_.answer_from_elsewhere();
  EXPECT_EQ(probe(server_.at(), {.send = "ping", .expect = "pong"}, 100ms).outcome, Outcome::Timeout);
}

// Guards against a probe that answers itself: the kernel walks through its ports, and one of them is the dead one.
TEST_F(UdpProbeTest, a_dead_port_of_the_ephemeral_range_is_never_connected_to_itself) {
  const SocketAddress nobody = unused_udp_address(loop_);
  UdpProbe udp(loop_, nobody, {.send = "pong", .expect = "pong"});
  unsigned left = 40'000;
  unsigned successes = 0;
  std::function<void(ProbeResult)> next = [&](const ProbeResult& result) {
    if (result.outcome == Outcome::Success) ++successes;
    if (--left == 0) return loop_.stop();
    udp.run(20s, next);
  };
  udp.run(20s, next);
  loop_.run();
  EXPECT_EQ(successes, 0U);
}

TEST_F(UdpProbeTest, out_of_descriptors_says_nothing_of_the_endpoint) {
  std::ignore = probe(server_.at(), {}, 1ms);  // what the loop needs is open now
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto result = probe(server_.at(), {.expect = "pong"});
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(result, (ProbeResult{Outcome::Unknown, "out of file descriptors"}));
}

TEST_F(UdpProbeTest, nothing_is_called_after_its_end) {
  said_ = {"pong", "pong"};
  unsigned calls = 0;
  {
    UdpProbe udp(loop_, server_.at(), {.expect = "pong"});
    udp.run(20s, [&](const ProbeResult&) { ++calls; });
    udp.run(20s, [&](const ProbeResult&) { ++calls; });
  }
  loop_.after(20ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 0U);
}

// Property: no check leaks a descriptor, a thread or a timer.
TEST_F(UdpProbeTest, nothing_is_left_of_many_runs) {
  std::minstd_rand random(3);
  const SocketAddress nobody = unused_udp_address(loop_);
  const auto before = Held::now(loop_);
  std::array<unsigned, health::kOutcomes> outcomes{};
  for (int i = 0; i < 10'000; ++i) {
    const auto kind = random() % 5;
    said_ =
        kind == 0 ? std::vector<std::string>{} : std::vector<std::string>{random() % 2 == 0 ? "pong" : "no", "pong"};
    UdpProbe udp(loop_, kind == 1 ? nobody : server_.at(), {.send = "ping", .expect = "pong"});
    if (kind == 2) {
      udp.run(20s, [](const ProbeResult&) { ADD_FAILURE() << "after its end"; });
      continue;
    }
    const auto result = run_probe(loop_, udp, kind == 0 ? Duration(20us) : Duration(20s));
    ++outcomes.at(static_cast<std::size_t>(result.outcome));
  }
  EXPECT_EQ(Held::now(loop_), before);
  for (const auto outcome : {Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Refused}) {
    EXPECT_GT(outcomes.at(static_cast<std::size_t>(outcome)), 500U) << static_cast<int>(outcome);
  }
}

}  // namespace
}  // namespace meshdns::probes
