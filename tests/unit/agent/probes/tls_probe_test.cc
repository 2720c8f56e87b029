// TLS of the checks tcp and http, against a server of OpenSSL.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/probes/http_probe.h"
#include "agent/probes/tcp_probe.h"
#include "tests/unit/agent/probes/scripted_server.h"
#include "tests/unit/agent/probes/test_certificates.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

constexpr std::int64_t kDay = 86'400;
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class TlsProbeTest : public testing::Test {
 protected:
  /// Checks a server whose certificate says what is wanted.
  ProbeResult checked(const Wanted& wanted, TlsOptions options, const std::string& host = "") {
    authority_.sign("server", wanted);
    const ServerTls tls(authority_.path("server.crt"), authority_.path("server.key"));
    return checked(tls, std::move(options), host);
  }
  ProbeResult checked(const ServerTls& tls, TlsOptions options, const std::string& host = "") {
    const ScriptedServer server({keeps_answering(kOk)}, tls.context());
    HttpProbe probe(loop_, server.address(), {.tls = std::move(options), .host = host}, &client_);
    return run_probe(loop_, probe);
  }
  TlsOptions trusting() const { return {.ca = authority_.path("ca.crt")}; }

  process::EventLoop loop_;
  TestAuthority authority_;
  TlsClient client_;
};

TEST_F(TlsProbeTest, a_certificate_of_the_address_is_a_success) {
  EXPECT_EQ(checked({}, trusting()), ProbeResult{Outcome::Success});
}

TEST_F(TlsProbeTest, the_name_in_the_certificate) {
  TlsOptions options = trusting();
  EXPECT_EQ(checked({.name = "DNS:web.example"}, options), (ProbeResult{Outcome::Failure, "TLS: IP address mismatch"}));
  options.server_name = "web.example";
  EXPECT_EQ(checked({.name = "DNS:web.example"}, options), ProbeResult{Outcome::Success});
  EXPECT_EQ(checked({.name = "DNS:*.example"}, options).outcome, Outcome::Failure) << "too wide";
  options.server_name = "web.shop.example";
  EXPECT_EQ(checked({.name = "DNS:*.shop.example"}, options), ProbeResult{Outcome::Success});
  EXPECT_EQ(checked({.name = "DNS:other.example"}, options), (ProbeResult{Outcome::Failure, "TLS: hostname mismatch"}));
}

TEST_F(TlsProbeTest, the_host_header_is_the_name_if_there_is_no_other) {
  EXPECT_EQ(checked({.name = "DNS:web.example"}, trusting(), "web.example:8443"), ProbeResult{Outcome::Success});
  EXPECT_EQ(checked({.name = "IP:127.0.0.1"}, trusting(), "127.0.0.1:8443"), ProbeResult{Outcome::Success});
}

TEST_F(TlsProbeTest, the_times_of_the_certificate) {
  TlsOptions blind = trusting();
  blind.verify = false;
  const Wanted expired{.begins = -9 * kDay, .ends = -3 * kDay - 60};
  EXPECT_EQ(checked(expired, trusting()), (ProbeResult{Outcome::Failure, "TLS: certificate has expired"}));
  EXPECT_EQ(checked(expired, blind), (ProbeResult{Outcome::Success, "certificate ended 3 days ago"}));
  EXPECT_EQ(checked({.begins = kDay}, trusting()),
            (ProbeResult{Outcome::Failure, "TLS: certificate is not yet valid"}));
  EXPECT_EQ(checked({.ends = 10 * kDay + 60}, trusting()),
            (ProbeResult{Outcome::Success, "certificate ends in 10 days"}));
}

TEST_F(TlsProbeTest, an_unknown_authority) {
  const TestAuthority other;
  EXPECT_EQ(checked({}, {.ca = other.path("ca.crt")}).detail, "TLS: unable to get local issuer certificate");
  EXPECT_EQ(checked({}, {}).outcome, Outcome::Failure) << "the machine's authorities";
  EXPECT_EQ(checked({}, {.verify = false}), ProbeResult{Outcome::Success});
}

TEST_F(TlsProbeTest, the_note_on_the_end_of_a_certificate) {
  EXPECT_EQ(certificate_note(14 * kDay), "");
  EXPECT_EQ(certificate_note(14 * kDay - 1), "certificate ends in 13 days");
  EXPECT_EQ(certificate_note(kDay), "certificate ends in 1 day");
  EXPECT_EQ(certificate_note(kDay - 1), "certificate ends in 23 hours");
  EXPECT_EQ(certificate_note(5), "certificate ends in 0 hours");
  EXPECT_EQ(certificate_note(-3600), "certificate ended 1 hour ago");
}

TEST_F(TlsProbeTest, a_server_that_wants_a_certificate) {
  authority_.sign("server", {});
  authority_.sign("agent", {.name = "DNS:agent.example"});
  const ServerTls tls(authority_.path("server.crt"), authority_.path("server.key"), authority_.path("ca.crt"));
  TlsOptions options = trusting();
  const auto without = checked(tls, options);
  EXPECT_EQ(without.outcome, Outcome::Failure);
  EXPECT_EQ(without.detail, "TLS: tlsv13 alert certificate required");
  options.cert = authority_.path("agent.crt");
  options.key = authority_.path("agent.key");
  EXPECT_EQ(checked(tls, options), ProbeResult{Outcome::Success});
}

// The files are the agent's own, so that their absence says nothing about the endpoint.
TEST_F(TlsProbeTest, files_that_cannot_be_used_say_nothing_about_the_endpoint) {
  authority_.sign("agent", {});
  authority_.sign("other", {});
  const std::string missing = authority_.path("none.crt");
  EXPECT_EQ(checked({}, {.ca = missing}), (ProbeResult{Outcome::Unknown, missing + ": No such file or directory"}));
  std::ofstream(authority_.path("bad.crt")) << "nothing";
  EXPECT_EQ(checked({}, {.ca = authority_.path("bad.crt")}).outcome, Outcome::Unknown);
  TlsOptions mixed = trusting();
  mixed.cert = authority_.path("agent.crt");
  mixed.key = authority_.path("other.key");
  EXPECT_EQ(checked({}, mixed), (ProbeResult{Outcome::Unknown, mixed.key + ": key values mismatch"}));
}

// Guards certificates that live for a day: the agent is not restarted for each.
TEST_F(TlsProbeTest, a_renewed_file_is_read_again) {
  const TestAuthority other;
  other.sign("server", {});
  const ServerTls tls(other.path("server.crt"), other.path("server.key"));
  EXPECT_EQ(checked(tls, trusting()).outcome, Outcome::Failure);
  std::filesystem::copy_file(other.path("ca.crt"), authority_.path("ca.crt.new"));
  std::filesystem::rename(authority_.path("ca.crt.new"), authority_.path("ca.crt"));
  EXPECT_EQ(checked(tls, trusting()), ProbeResult{Outcome::Success});
}

TEST_F(TlsProbeTest, a_server_without_tls) {
  const ScriptedServer server({answers("HTTP/1.1 400 Bad Request\r\n\r\n"), [](ScriptedServer::Peer& peer) {
                                 peer.send("220 mail ESMTP\r\n");
                                 peer.wait_for_close();
                               }});
  TcpProbe probe(loop_, server.address(), {.tls = TlsOptions{}}, &client_);
  EXPECT_EQ(run_probe(loop_, probe, 200ms).outcome, Outcome::Timeout) << "the server waits for an empty line";
  EXPECT_EQ(run_probe(loop_, probe), (ProbeResult{Outcome::Failure, "TLS: wrong version number"}));
}

TEST_F(TlsProbeTest, a_handshake_that_ends_or_hangs) {
  const ScriptedServer server({[](ScriptedServer::Peer& peer) { peer.read(1); },
                               [](ScriptedServer::Peer& peer) {
                                 peer.read(10);
                                 peer.reset();
                               },
                               [](ScriptedServer::Peer& peer) { peer.wait_for_close(); }});
  TcpProbe probe(loop_, server.address(), {.tls = TlsOptions{}}, &client_);
  EXPECT_EQ(run_probe(loop_, probe).outcome, Outcome::Failure) << "unread bytes make the kernel send RST";
  EXPECT_EQ(run_probe(loop_, probe), (ProbeResult{Outcome::Failure, "TLS: connection reset by peer"}));
  EXPECT_EQ(run_probe(loop_, probe, 50ms), (ProbeResult{Outcome::Timeout, "timeout after 50ms"}));
}

TEST_F(TlsProbeTest, tcp_sends_and_reads_through_tls) {
  authority_.sign("server", {.ends = 5 * kDay + 60});
  const ServerTls tls(authority_.path("server.crt"), authority_.path("server.key"));
  const ScriptedServer server({[](ScriptedServer::Peer& peer) {
                                peer.send(peer.read(4) == "PING" ? "+PONG" : "?");
                                peer.wait_for_close();
                              }},
                              tls.context());
  TcpProbe probe(loop_, server.address(), {.tls = trusting(), .send = "PING", .expect = "PONG"}, &client_);
  const auto result = run_probe(loop_, probe);
  EXPECT_EQ(result.outcome, Outcome::Success);
  EXPECT_EQ(result.detail, "certificate ends in 5 days");
}

TEST_F(TlsProbeTest, connections_with_tls_are_kept_too) {
  authority_.sign("server", {});
  const ServerTls tls(authority_.path("server.crt"), authority_.path("server.key"));
  const ScriptedServer server({keeps_answering(kOk)}, tls.context());
  HttpProbe probe(loop_, server.address(), {.tls = trusting()}, &client_);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run_probe(loop_, probe), ProbeResult{Outcome::Success});
  EXPECT_EQ(server.connections(), 1U);
}

}  // namespace
}  // namespace meshdns::probes
