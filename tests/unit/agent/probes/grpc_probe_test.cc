#include "tests/unit/agent/probes/grpc_probe_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <random>

#include "common/authority/authority.h"
#include "common/authority/key.h"
#include "common/time/system_clock.h"
#include "tests/support/health/health_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/agent/probes/held.h"
#include "tests/unit/agent/probes/tcp_server.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;
using test::HealthServer;
using testing::HasSubstr;
using testing::StartsWith;
using Mode = HealthServer::Mode;
using Status = HealthServer::Status;
using Then = TcpServer::Answer::Then;

TEST_F(GrpcProbeTest, the_status_decides) {
  HealthServer server;
  EXPECT_EQ(ask(server.at()), ProbeResult{Outcome::Success});
  server.set("", Status::NotServing);
  EXPECT_EQ(ask(server.at()), kNotServing);
  server.set("", Status::Unknown);
  EXPECT_EQ(ask(server.at()), (ProbeResult{Outcome::Failure, "UNKNOWN"}));
}

TEST_F(GrpcProbeTest, each_service_has_its_own_status) {
  HealthServer server;
  server.set("shop.Cart", Status::NotServing);
  EXPECT_EQ(ask(server.at(), {.service = "shop.Cart"}), kNotServing);
  EXPECT_EQ(ask(server.at(), {.service = "shop.Till"}),
            (ProbeResult{Outcome::Failure, "the server has no service \"shop.Till\""}));
  EXPECT_EQ(ask(server.at()), ProbeResult{Outcome::Success});
}

TEST_F(GrpcProbeTest, errors_of_the_server) {
  HealthServer without(HealthServer::Options{.has_health = false});
  EXPECT_EQ(ask(without.at()), (ProbeResult{Outcome::Failure, "the server does not implement grpc.health.v1.Health"}));
  HealthServer server;
  server.set(Mode::Silent);
  EXPECT_EQ(ask(server.at(), {}, 100ms), (ProbeResult{Outcome::Timeout, "timeout after 100ms"}));
  server.set(Mode::GivesUp);
  EXPECT_EQ(ask(server.at()), (ProbeResult{Outcome::Failure, "come back later"}));
  server.set(Mode::Forbids);
  const auto result = ask(server.at());
  EXPECT_EQ(result.outcome, Outcome::Failure);
  EXPECT_THAT(result.detail, StartsWith("grpc PERMISSION_DENIED: not for you\\u001b[2J\\nxxx"));
  EXPECT_LT(result.detail.size(), 300U);
}

TEST_F(GrpcProbeTest, nobody_listens) {
  const LoopbackSocket no_listener("127.0.0.1", -1);
  EXPECT_EQ(ask(no_listener.address()), (ProbeResult{Outcome::Refused, "connection refused"}));
  EXPECT_EQ(channels_.size(), 0U) << "the next check makes a new connection";
}

// Guards against gRPC's delays between attempts to connect: a check sees the server as it is now.
TEST_F(GrpcProbeTest, a_server_that_returns_is_seen_at_once) {
  auto server = std::make_unique<HealthServer>();
  const SocketAddress where = server->at();
  GrpcProbe probe(loop_, channels_, where, {});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success}) << i;
    server.reset();
    for (int j = 0; j < 3; ++j) EXPECT_EQ(run_probe(loop_, probe).outcome, Outcome::Refused) << i;
    server = std::make_unique<HealthServer>(HealthServer::Options{.port = where.port});
  }
}

// Guards against a false failure: the connection that was kept has ended, but the server works.
TEST_F(GrpcProbeTest, a_server_that_was_restarted_between_two_checks_has_not_failed) {
  auto server = std::make_unique<HealthServer>();
  const SocketAddress where = server->at();
  GrpcProbe probe(loop_, channels_, where, {});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success}) << i;
    server.reset();
    server = std::make_unique<HealthServer>(HealthServer::Options{.port = where.port});
  }
}

TEST_F(GrpcProbeTest, checks_of_one_server_share_a_connection) {
  HealthServer server;
  server.set("one", Status::Serving);
  std::vector<std::unique_ptr<GrpcProbe>> probes;
  for (const char* service : {"", "one", "one"}) {
    probes.push_back(std::make_unique<GrpcProbe>(loop_, channels_, server.at(), GrpcCheck{.service = service}));
  }
  EXPECT_EQ(run_probe(loop_, *probes[0]), ProbeResult{Outcome::Success});
  const std::size_t descriptors = Held::now(loop_).descriptors;
  for (const auto& probe : probes) EXPECT_EQ(run_probe(loop_, *probe), ProbeResult{Outcome::Success});
  EXPECT_EQ(channels_.size(), 1U);
  EXPECT_EQ(Held::now(loop_).descriptors, descriptors);
  probes.clear();
  EXPECT_TRUE(until([this] { return channels_.size() == 0; }));
}

// Guards against the health of a server that no longer listens, and is about to end: it still answers over old
// connections.
TEST_F(GrpcProbeTest, a_connection_that_was_kept_can_be_given_up) {
  HealthServer server;
  GrpcProbe probe(loop_, channels_, server.at(), {});
  std::optional<ProbeResult> running;
  probe.run(20s, [&](const ProbeResult& result) { running = result; });
  probe.reconnect();
  EXPECT_EQ(channels_.size(), 0U);
  EXPECT_TRUE(until([&] { return running.has_value(); }));
  EXPECT_EQ(running, ProbeResult{Outcome::Success}) << "the running check is not changed";
  EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success});
  EXPECT_EQ(channels_.size(), 1U);
  probe.reconnect();
  EXPECT_EQ(channels_.size(), 0U);
  EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success});
}

/// What a hostile server does with the first bytes of a connection.
struct Hostile {
  const char* what;
  TcpServer::Answer answer;
  Outcome outcome;
};

TEST_F(GrpcProbeTest, hostile_servers) {
  const std::string settings{"\0\0\0\4\0\0\0\0\0", 9};                   // RFC 9113 6.5
  const std::string goaway{"\0\0\x08\7\0\0\0\0\0\0\0\0\0\0\0\0\0", 17};  // RFC 9113 6.8
  const std::string huge{"\xff\xff\xff\4\0\0\0\0\0", 9};
  const std::array cases = {
      Hostile{"accepts and hangs", {}, Outcome::Timeout},
      Hostile{"closes", {"", Then::Close}, Outcome::Failure},
      Hostile{"resets", {"", Then::Reset}, Outcome::Failure},
      Hostile{"speaks HTTP/1.1", {"HTTP/1.1 400 Bad Request\r\n\r\n", Then::Close}, Outcome::Failure},
      Hostile{"sends garbage", {std::string(3000, '\xff'), Then::Close}, Outcome::Failure},
      Hostile{"sends an endless body", {std::string(5'000'000, 'x'), Then::Close}, Outcome::Failure},
      Hostile{"says hello and hangs", {settings}, Outcome::Timeout},
      Hostile{"says hello and closes", {settings, Then::Close}, Outcome::Failure},
      Hostile{"says hello and resets", {settings, Then::Reset}, Outcome::Failure},
      Hostile{"says goodbye at once", {settings + goaway, Then::Close}, Outcome::Failure},
      Hostile{"announces a frame of 16 MiB", {settings + huge, Then::Close}, Outcome::Failure},
  };
  for (const auto& [what, answer, outcome] : cases) {
    TcpServer server(loop_, [&answer = answer](std::string_view) { return answer; });
    const Duration patience = outcome == Outcome::Timeout ? Duration(200ms) : Duration(20s);
    const auto result = ask(server.at(), {.watch = true}, patience);
    EXPECT_EQ(result.outcome, outcome) << what << ": " << result.detail;
    EXPECT_FALSE(result.detail.empty()) << what;
    EXPECT_LT(result.detail.size(), 300U) << what;
    EXPECT_FALSE(result.certain) << what;
    EXPECT_LE(server.accepted(), 2U) << what;
  }
}

TEST_F(GrpcProbeTest, nothing_is_called_after_its_end) {
  HealthServer server;
  unsigned calls = 0;
  for (const bool watch : {false, true}) {
    GrpcProbe probe(loop_, channels_, server.at(), {.watch = watch});
    probe.watch([&] { ++calls; });
    EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success});
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
    server.set("", Status::NotServing);
    server.set("", Status::Serving);
  }
  pause(50ms);
  EXPECT_EQ(calls, 0U);
  EXPECT_TRUE(until([&] { return server.watchers() == 0; }));
}

TEST_F(GrpcProbeTest, the_end_of_the_loop_may_come_before_the_end_of_a_call) {
  HealthServer server;
  server.set(Mode::Silent);
  for (int i = 0; i < 20; ++i) {
    process::EventLoop loop;
    GrpcChannels channels(loop);
    GrpcProbe probe(loop, channels, server.at(), {.watch = true});
    probe.run(20s, [](const ProbeResult&) { ADD_FAILURE() << "after its end"; });
  }
}

// ---- TLS ----

class GrpcTlsTest : public GrpcProbeTest {
 protected:
  GrpcTlsTest() {
    server_key_ = authority::make_key().value();
    client_key_ = authority::make_key().value();
    options_.certificate = signed_for({{identity::Role::Federation, "eu-1", "fed"}, {"health.example", "127.0.0.1"}},
                                      server_key_, authority_);
    options_.key = server_key_;
    write("ca.pem", authority_.certificates);
    write("other-ca.pem", other_.certificates);
    write("client.pem", signed_for({{identity::Role::Node, "eu-1", "n1"}}, client_key_, authority_));
    write("client.key", client_key_);
  }

  static authority::Authority new_authority() {
    return authority::make_authority("mesh.internal", SystemClock().unix_seconds()).value();
  }
  static std::string signed_for(const authority::Order& order, const std::string& key, const authority::Authority& by) {
    return authority::sign(by, authority::make_request(key).value(), order, SystemClock().unix_seconds()).value();
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_.path(name)) << text; }

  ProbeResult ask_tls(TlsOptions tls) { return ask(server_->at(), {.tls = std::move(tls)}); }
  void serve() { server_.emplace(options_); }

  authority::Authority authority_ = new_authority();
  authority::Authority other_ = new_authority();
  std::string server_key_;
  std::string client_key_;
  HealthServer::Options options_;
  std::optional<HealthServer> server_;
  test::TemporaryFolder folder_;
};

TEST_F(GrpcTlsTest, the_certificate_is_verified) {
  serve();
  const std::string ca = folder_.path("ca.pem");
  EXPECT_EQ(ask_tls({.ca = ca}), ProbeResult{Outcome::Success}) << "by the address";
  EXPECT_EQ(ask_tls({.server_name = "health.example", .ca = ca}), ProbeResult{Outcome::Success});
  const auto other_name = ask_tls({.server_name = "shop.example", .ca = ca});
  EXPECT_EQ(other_name, (ProbeResult{Outcome::Failure, "TLS handshake failed: the certificate is of another name"}));
  const auto other_ca = ask_tls({.ca = folder_.path("other-ca.pem")});
  EXPECT_EQ(other_ca.outcome, Outcome::Failure);
  EXPECT_THAT(other_ca.detail, HasSubstr("certificate verify failed"));
  EXPECT_EQ(ask_tls({}).outcome, Outcome::Failure) << "the machine's authorities do not know it";
}

TEST_F(GrpcTlsTest, unless_the_check_says_otherwise) {
  serve();
  EXPECT_EQ(ask_tls({.verify = false}), ProbeResult{Outcome::Success});
  EXPECT_EQ(ask_tls({.server_name = "shop.example", .verify = false}), ProbeResult{Outcome::Success});
}

TEST_F(GrpcTlsTest, a_client_certificate) {
  options_.client_ca = authority_.certificates;
  serve();
  const std::string ca = folder_.path("ca.pem");
  EXPECT_EQ(ask_tls({.ca = ca}).outcome, Outcome::Failure);
  EXPECT_EQ(ask_tls({.ca = ca, .cert = folder_.path("client.pem"), .key = folder_.path("client.key")}),
            ProbeResult{Outcome::Success});
}

TEST_F(GrpcTlsTest, a_file_that_cannot_be_read_says_nothing_of_the_endpoint) {
  serve();
  const auto result = ask_tls({.ca = folder_.path("none.pem")});
  EXPECT_EQ(result.outcome, Outcome::Unknown);
  EXPECT_THAT(result.detail, HasSubstr("none.pem"));
}

TEST_F(GrpcTlsTest, plaintext_on_one_end_only) {
  HealthServer plain;
  EXPECT_EQ(ask(plain.at(), {.tls = TlsOptions{.verify = false}}).outcome, Outcome::Failure);
  serve();
  EXPECT_EQ(ask(server_->at()).outcome, Outcome::Failure);
}

// ---- Leaks ----

// Property: no check leaks a descriptor, a thread or a timer. Guards also against connections that gRPC forgets while
// it makes them.
TEST_F(GrpcProbeTest, nothing_is_left_of_many_runs) {
  std::minstd_rand random(9);
  HealthServer server;
  const LoopbackSocket no_listener("127.0.0.1", -1);
  std::array<unsigned, health::kOutcomes> outcomes{};
  const auto runs = [&](int count) {
    for (int i = 0; i < count; ++i) {
      const auto kind = random() % 10;
      server.set("", random() % 2 == 0 ? Status::Serving : Status::NotServing);
      server.set(kind == 0 ? Mode::Silent : Mode::Works);
      GrpcProbe probe(loop_, channels_, kind == 1 ? no_listener.address() : server.at(), {.watch = random() % 2 == 0});
      probe.watch([] {});
      if (kind == 2) {
        probe.run(20s, [](const ProbeResult&) { ADD_FAILURE() << "after its end"; });
        continue;
      }
      ++outcomes.at(
          static_cast<std::size_t>(run_probe(loop_, probe, kind == 0 ? Duration(1ms) : Duration(20s)).outcome));
    }
  };
  runs(50);  // gRPC has all its threads now
  ASSERT_TRUE(until([&] { return server.watchers() == 0; }));
  pause(50ms);
  const auto before = Held::now(loop_);
  runs(1000);
  constexpr std::size_t kThreadsOfGrpc = 16;  // gRPC has more or fewer by its own rules
  EXPECT_TRUE(until([&] {
    const auto now = Held::now(loop_);
    return now.descriptors <= before.descriptors && now.threads <= before.threads + kThreadsOfGrpc &&
           now.timers <= before.timers;
  })) << testing::PrintToString(Held::now(loop_))
      << ", before: " << testing::PrintToString(before);
  for (const auto outcome : {Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Refused}) {
    EXPECT_GT(outcomes.at(static_cast<std::size_t>(outcome)), 20U) << static_cast<int>(outcome);
  }
}

}  // namespace
}  // namespace meshdns::probes
