#include "agent/probes/tcp_probe.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "tests/unit/agent/probes/scripted_server.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

sockaddr_in raw(const SocketAddress& address) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(address.ip.v4_host_order());
  out.sin_port = htons(address.port);
  return out;
}

class TcpProbeTest : public testing::Test {
 protected:
  ProbeResult probe(const SocketAddress& address, Duration timeout = 20s) {
    TcpProbe probe(loop_, address);
    return run_probe(loop_, probe, timeout);
  }

  process::EventLoop loop_;
};

TEST_F(TcpProbeTest, a_listener_is_a_success) {
  const LoopbackSocket listener;
  EXPECT_EQ(probe(listener.address()).outcome, Outcome::Success);
  const LoopbackSocket v6("::1");
  if (!v6.bound()) return;
  EXPECT_EQ(probe(v6.address()).outcome, Outcome::Success);
}

// Guards against measuring ourselves: what this thread does meanwhile is no part of the way.
TEST_F(TcpProbeTest, the_handshake_is_timed_by_the_kernel) {
  const LoopbackSocket listener;
  loop_.post([] {
    const auto until = std::chrono::steady_clock::now() + 100ms;
    while (std::chrono::steady_clock::now() < until) {
    }
  });
  const ProbeResult result = probe(listener.address());
  EXPECT_GT(result.rtt, 0s);
  EXPECT_LT(result.rtt, 50ms);
}

TEST_F(TcpProbeTest, what_did_not_connect_has_no_time) {
  const LoopbackSocket silent("127.0.0.1", -1);
  EXPECT_EQ(probe(silent.address()).rtt, 0s);
}

TEST_F(TcpProbeTest, a_bound_socket_that_does_not_listen_refuses) {
  const LoopbackSocket silent("127.0.0.1", -1);
  EXPECT_EQ(probe(silent.address()), (ProbeResult{Outcome::Refused, "connection refused"}));
}

// A full accept queue drops what would come behind it.
TEST_F(TcpProbeTest, nobody_answers_in_time) {
  const LoopbackSocket listener("127.0.0.1", 0);
  const auto address = raw(listener.address());
  std::vector<LoopbackSocket> queue;
  for (int i = 0; i < 4; ++i) {
    queue.emplace_back("127.0.0.1", -1);
    timeval shortly{.tv_sec = 0, .tv_usec = 1000};
    setsockopt(queue.back().descriptor(), SOL_SOCKET, SO_SNDTIMEO, &shortly, sizeof shortly);
    std::ignore = connect(queue.back().descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  EXPECT_EQ(probe(listener.address(), 50ms), (ProbeResult{Outcome::Timeout, "timeout after 50ms"}));
}

TEST_F(TcpProbeTest, out_of_descriptors_says_nothing_of_the_endpoint) {
  const LoopbackSocket listener;
  std::ignore = probe(listener.address());  // what the loop needs is open now
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const auto result = probe(listener.address());
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(result, (ProbeResult{Outcome::Unknown, "out of file descriptors"}));
}

// ---- send and expect ----

TEST_F(TcpProbeTest, the_verdict_of_each_conversation) {
  struct Case {
    std::string greeting;  // what the server sends at once
    std::string reply;     // what it sends after PING; then it closes
    TcpCheck check;
    ProbeResult verdict;
  };
  const ProbeResult success{Outcome::Success};
  const TcpCheck ping{.send = "PING", .expect = "+PONG"};
  const std::vector<Case> cases = {
      {"220 mail ESMTP\r\n", "", {.expect = "220 "}, success},
      {"", "+PONG\r\n", ping, success},
      {"+OK ready\r\n", "+PONG", ping, success},
      {"", "-ERR no\r\n", ping, {Outcome::Failure, "answered \"-ERR no\\r\\n\", expected \"+PONG\""}},
      {"", "", ping, {Outcome::Failure, "closed without an answer, expected \"+PONG\""}},
      {"", "", {.send = "PING"}, success},
      {std::string(65'530, 'x'), "+PONG", ping, success},
      {std::string(65'536, 'x'),
       "+PONG",
       {.expect = "+PONG"},
       {Outcome::Failure, "answered \"" + std::string(40, 'x') + "...\", expected \"+PONG\""}},
  };
  for (const Case& one : cases) {
    const ScriptedServer server({[&](ScriptedServer::Peer& peer) {
      peer.send(one.greeting);
      if (!one.check.send.empty()) peer.read(one.check.send.size());
      peer.send(one.reply);
      peer.end();
      peer.wait_for_close();
    }});
    TcpProbe probe(loop_, server.address(), one.check);
    ProbeResult result = run_probe(loop_, probe);
    result.rtt = {};
    EXPECT_EQ(result, one.verdict) << one.greeting.substr(0, 20) << one.reply;
  }
}

TEST_F(TcpProbeTest, what_is_expected_may_come_in_pieces) {
  const ScriptedServer server({[](ScriptedServer::Peer& peer) {
    for (const char* part : {"+", "+P", "ON", "G"}) {
      peer.send(part);
      std::this_thread::sleep_for(5ms);
    }
    peer.wait_for_close();
  }});
  TcpProbe probe(loop_, server.address(), {.expect = "+PONG"});
  EXPECT_EQ(run_probe(loop_, probe).outcome, Outcome::Success);
}

TEST_F(TcpProbeTest, hostile_conversations) {
  const ScriptedServer server({[](ScriptedServer::Peer& peer) { peer.wait_for_close(); },
                               [](ScriptedServer::Peer& peer) {
                                 while (peer.send(std::string(1000, 'x'))) continue;
                               },
                               [](ScriptedServer::Peer& peer) {
                                 peer.read(4);
                                 peer.reset();
                               }});
  TcpProbe probe(loop_, server.address(), {.send = "PING", .expect = "+PONG"});
  EXPECT_EQ(run_probe(loop_, probe, 50ms), (ProbeResult{Outcome::Timeout, "timeout after 50ms"})) << "silence";
  EXPECT_EQ(run_probe(loop_, probe).outcome, Outcome::Failure) << "no end";
  EXPECT_EQ(run_probe(loop_, probe), (ProbeResult{Outcome::Failure, "connection reset by peer"}));
}

// Guards against 120,000 sockets in TIME_WAIT with 10,000 checks.
TEST_F(TcpProbeTest, a_connection_ends_with_rst) {
  std::atomic<bool> was_reset = false;
  {
    const ScriptedServer server({[&](ScriptedServer::Peer& peer) {
      peer.wait_for_close();
      was_reset = peer.was_reset();
    }});
    EXPECT_EQ(probe(server.address()).outcome, Outcome::Success);
    loop_.after(100ms, [this] { loop_.stop(); });  // the server accepts meanwhile
    loop_.run();
    loop_.restart();
  }
  EXPECT_TRUE(was_reset);
}

TEST_F(TcpProbeTest, the_end_of_the_probe_ends_its_attempt) {
  const LoopbackSocket listener;
  unsigned calls = 0;
  {
    TcpProbe probe(loop_, listener.address());
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
  }
  loop_.after(20ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 0U);
}

/// A port that nobody listens on, of those that the kernel likes for connections. (It keeps even and odd apart.)
SocketAddress dead_client_address() {
  const LoopbackSocket listener;
  const auto to = raw(listener.address());
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  sockaddr_in from{};
  socklen_t size = sizeof from;
  getsockname(client, reinterpret_cast<sockaddr*>(&from), &size);
  close(client);
  return {listener.address().ip, ntohs(from.sin_port)};
}

// Guards against TCP's simultaneous open: the kernel walks through its ports, and one of them is the dead one.
TEST_F(TcpProbeTest, a_dead_port_of_the_ephemeral_range_is_never_connected_to_itself) {
  const auto address = dead_client_address();
  TcpProbe tcp(loop_, address);
  unsigned left = 40'000;
  unsigned successes = 0;
  std::function<void(ProbeResult)> next = [&](const ProbeResult& result) {
    if (result.outcome == Outcome::Success) ++successes;
    if (--left == 0) return loop_.stop();
    tcp.run(20s, next);
  };
  tcp.run(20s, next);
  loop_.run();
  EXPECT_EQ(successes, 0U);
}

}  // namespace
}  // namespace meshdns::probes
