#include "common/kubernetes/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/time/system_clock.h"
#include "tests/unit/common/kubernetes/loop_runner.h"
#include "tests/unit/common/kubernetes/tls_server.h"

namespace meshdns::kubernetes {
namespace {

using test::answer;
using test::TlsServer;
using testing::HasSubstr;
using testing::StartsWith;
using Peer = TlsServer::Peer;

/// A client on a loop, and what it was answered.
class Caller {
 public:
  explicit Caller(const Server& server, const Client::Limits& limits = {}) : client(loop, clock, server, limits) {}

  Result<Answer> send(Request request) {
    std::optional<Result<Answer>> got;
    const Call call = client.send(std::move(request), [&](Result<Answer> found) { got = std::move(found); });
    EXPECT_TRUE(test::run_until(loop, [&] { return got.has_value(); }));
    return got.value_or(Error(Code::Internal, "no answer"));
  }
  Result<Answer> get(const std::string& target = "/x") {
    Request request;
    request.target = target;
    return send(std::move(request));
  }
  /// Reads a stream to its end.
  Result<Answer> stream() {
    std::optional<Result<Answer>> got;
    Request request;
    request.target = "/x?watch=1";
    const Call call = client.stream(std::move(request), {[&] { accepted = true; },
                                                         [&](std::string_view part) {
                                                           ++parts;
                                                           bytes += part;
                                                         },
                                                         [&](Result<Answer> found) { got = std::move(found); }});
    EXPECT_TRUE(test::run_until(loop, [&] { return got.has_value(); }));
    return got.value_or(Error(Code::Internal, "no answer"));
  }

  process::EventLoop loop;
  SystemClock clock;
  Client client;
  bool accepted = false;
  std::string bytes;
  int parts = 0;
};

/// The product's limits, with another time for one step.
Client::Limits limits_with(Duration Client::Limits::*step, Duration time) {
  Client::Limits out;
  out.*step = time;
  return out;
}

TEST(KubernetesClient, a_request_has_the_token_and_an_answer_its_body) {
  std::string request;
  const TlsServer server({[&](Peer& peer) {
    request = peer.request();
    peer.send(answer("200 OK", "{\"kind\":\"Node\"}"));
    peer.wait_for_close();
  }});
  {
    Caller caller(server.server());
    const auto found = caller.get("/api/v1/nodes/n1");
    ASSERT_TRUE(found) << found.error().message();
    EXPECT_EQ(found->status, 200);
    EXPECT_EQ(found->body, "{\"kind\":\"Node\"}");
  }
  EXPECT_TRUE(server.all_ended());
  EXPECT_THAT(request, StartsWith("GET /api/v1/nodes/n1 HTTP/1.1\r\nHost: " + server.server().authority() + "\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nAuthorization: Bearer first-token\r\n"));
}

TEST(KubernetesClient, a_body_is_sent_and_a_refusal_has_one) {
  std::string request;
  const TlsServer server({[&](Peer& peer) {
    request = peer.request();
    peer.send(answer("429 Too Many Requests", "{\"kind\":\"Status\"}", "Retry-After: 7\r\n"));
  }});
  Caller caller(server.server());
  const auto found = caller.send({"PATCH", "/x/status", "application/json", "{\"a\":1}", std::string(kMergePatch)});
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->status, 429);
  EXPECT_EQ(found->retry_after, 7s);
  EXPECT_EQ(found->body, "{\"kind\":\"Status\"}");
  EXPECT_THAT(request, HasSubstr("\r\nContent-Type: application/merge-patch+json\r\n"));
  EXPECT_THAT(request, testing::EndsWith("\r\n\r\n{\"a\":1}"));
}

TEST(KubernetesClient, unary_calls_share_a_connection) {
  const TlsServer server({[](Peer& peer) {
    while (!peer.request().empty()) peer.send(answer("200 OK", "ok"));
  }});
  Caller caller(server.server());
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(caller.get());
  EXPECT_EQ(server.connections(), 1U);
}

TEST(KubernetesClient, calls_at_the_same_time_have_connections_of_their_own) {
  const auto script = [](Peer& peer) {
    peer.request();
    peer.send(answer("200 OK", "ok"));
    peer.wait_for_close();
  };
  const TlsServer server({script, script});
  Caller caller(server.server());
  int done = 0;
  const auto count = [&](const Result<Answer>& found) { done += found ? 1 : 0; };
  const Call first = caller.client.send({}, count);
  const Call second = caller.client.send({}, count);
  EXPECT_TRUE(test::run_until(caller.loop, [&] { return done == 2; }));
}

TEST(KubernetesClient, a_get_survives_the_end_of_the_kept_connection) {
  const auto script = [](Peer& peer) {
    peer.request();
    peer.send(answer("200 OK", "ok"));
  };
  const TlsServer server({script, script, script});
  Caller caller(server.server());
  for (int i = 0; i < 3; ++i) {
    const auto found = caller.get();
    EXPECT_TRUE(found) << found.error().message();
  }
  EXPECT_EQ(server.connections(), 3U);
}

// A server may take the request and close the connection before it answers. Nobody knows whether it has done what a
// POST wants.
TEST(KubernetesClient, only_a_get_is_sent_twice) {
  const auto script = [](Peer& peer) {
    peer.request();
    peer.send(answer("200 OK", "ok"));
    peer.request();
  };
  const TlsServer server({script, script, script});
  Caller caller(server.server());
  EXPECT_TRUE(caller.get());
  EXPECT_TRUE(caller.get());
  const auto found = caller.send({"POST", "/x", "application/json", "{}"});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), Error(Code::Unavailable, "waiting for the answer: the server closed the connection"));
  EXPECT_EQ(server.connections(), 2U);
}

TEST(KubernetesClient, a_redirect_is_an_answer) {
  const TlsServer server({[](Peer& peer) {
    peer.request();
    peer.send(answer("302 Found", "", "Location: https://10.0.0.1/\r\n"));
  }});
  Caller caller(server.server());
  EXPECT_EQ(caller.get()->status, 302);
}

TEST(KubernetesClient, the_certificate_must_be_of_the_address) {
  const TlsServer server({[](Peer& peer) { peer.request(); }}, "10.0.0.1");
  Caller caller(server.server());
  const auto found = caller.get();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(),
            Error(Code::Unavailable, "the certificate of the server is not accepted: IP address mismatch"));
}

TEST(KubernetesClient, the_certificate_must_be_of_the_authority) {
  const TlsServer server({[](Peer& peer) { peer.request(); }});
  const TlsServer other({});
  Server mixed = server.server();
  mixed.ca_file = other.server().ca_file;
  Caller caller(mixed);
  EXPECT_THAT(caller.get().error().message(), StartsWith("the certificate of the server is not accepted: "));
}

TEST(KubernetesClient, files_that_cannot_be_used_are_named) {
  const TlsServer server({});
  server.write("ca.crt", "no certificate");
  EXPECT_EQ(Caller(server.server()).get().error(),
            Error(Code::Unavailable, server.path("ca.crt") + ": there is no certificate of an authority"));
  server.write("ca.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(Caller(server.server()).get().error(),
            Error(Code::Unavailable, server.path("ca.crt") + ": a certificate of the authorities is damaged"));
  std::filesystem::remove(server.path("token"));
  EXPECT_EQ(Caller(server.server()).get().error(),
            Error(Code::Unavailable, server.path("token") + ": No such file or directory"));
}

TEST(KubernetesClient, nobody_listens) {
  Server where;
  {
    const TlsServer server({});
    where = server.server();
  }
  const TlsServer files({});
  where.ca_file = files.server().ca_file;
  where.token_file = files.server().token_file;
  EXPECT_EQ(Caller(where).get().error(), Error(Code::Unavailable, "connecting: connection refused"));
}

TEST(KubernetesClient, each_step_has_a_time_limit) {
  const TlsServer no_handshake({nullptr});
  EXPECT_EQ(Caller(no_handshake.server(), limits_with(&Client::Limits::handshake, 50ms)).get().error(),
            Error(Code::DeadlineExceeded, "TLS handshake: timeout"));
  const TlsServer no_head({[](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\n");
    peer.wait_for_close();
  }});
  EXPECT_EQ(Caller(no_head.server(), limits_with(&Client::Limits::head, 50ms)).get().error(),
            Error(Code::DeadlineExceeded, "waiting for the answer: timeout"));
  const TlsServer no_body({[](Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf");
    peer.wait_for_close();
  }});
  EXPECT_EQ(Caller(no_body.server(), limits_with(&Client::Limits::body, 50ms)).get().error(),
            Error(Code::DeadlineExceeded, "reading the answer: timeout"));
}

TEST(KubernetesClient, a_head_and_a_body_have_a_bound) {
  const auto endless = [](const std::string& begin, const std::string& more) {
    return [begin, more](Peer& peer) {
      peer.request();
      peer.send(begin);
      for (int i = 0; i < 100; ++i) peer.send(more);
      peer.wait_for_close();
    };
  };
  const TlsServer server({endless("HTTP/1.1 200 OK\r\n", "X: " + std::string(2000, 'x') + "\r\n"),
                          endless("HTTP/1.1 200 OK\r\nX: ", std::string(2000, 'x')),
                          endless("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", std::string(2000, 'x'))});
  Client::Limits limits;
  limits.longest_body = 100'000;
  Caller caller(server.server(), limits);
  const Error long_head(Code::ResourceExhausted, "waiting for the answer: the head is too long");
  EXPECT_EQ(caller.get().error(), long_head);
  EXPECT_EQ(caller.get().error(), long_head);
  EXPECT_EQ(caller.get().error(),
            Error(Code::ResourceExhausted, "reading the answer: its body is longer than 100000 bytes"));
}

TEST(KubernetesClient, what_is_not_http_is_an_error) {
  const TlsServer server({[](Peer& peer) {
    peer.request();
    peer.send("SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
  }});
  EXPECT_EQ(Caller(server.server()).get().error().code(), Code::DataLoss);
}

TEST(KubernetesStream, parts_come_as_they_arrive) {
  const TlsServer server({[](Peer& peer) {
    peer.request();
    peer.send_slowly(test::kChunkedHead);
    peer.send_slowly("5\r\nfirst\r\n");
    peer.send_chunk(std::string(50'000, 'x'));
    peer.send(test::kLastChunk);
  }});
  Caller caller(server.server());
  const auto end = caller.stream();
  ASSERT_TRUE(end) << end.error().message();
  EXPECT_EQ(end->status, 200);
  EXPECT_TRUE(caller.accepted);
  EXPECT_EQ(caller.bytes, "first" + std::string(50'000, 'x'));
  EXPECT_GT(caller.parts, 4);
}

TEST(KubernetesStream, a_stream_has_no_time_limit_once_it_is_accepted) {
  const TlsServer server({[](Peer& peer) {
    peer.request();
    peer.send(test::kChunkedHead);
    std::this_thread::sleep_for(300ms);
    peer.send_chunk("late");
    peer.send(test::kLastChunk);
  }});
  Caller caller(server.server(), limits_with(&Client::Limits::body, 50ms));
  EXPECT_TRUE(caller.stream());
  EXPECT_EQ(caller.bytes, "late");
}

TEST(KubernetesStream, a_stream_that_is_cut_is_an_error) {
  const TlsServer server({[](Peer& peer) {
    peer.request();
    peer.send(test::kChunkedHead);
    peer.send_chunk("whole");
    peer.send("6\r\nhal");
  }});
  Caller caller(server.server());
  EXPECT_EQ(caller.stream().error(), Error(Code::Unavailable, "reading the answer: the server closed the connection"));
  EXPECT_EQ(caller.bytes, "wholehal");
}

TEST(KubernetesStream, a_refusal_has_its_body) {
  const TlsServer server({[](Peer& peer) {
    peer.request();
    peer.send(answer("410 Gone", "{\"code\":410}"));
  }});
  Caller caller(server.server());
  const auto refusal = caller.stream();
  ASSERT_TRUE(refusal) << refusal.error().message();
  EXPECT_EQ(refusal->status, 410);
  EXPECT_EQ(refusal->body, "{\"code\":410}");
  EXPECT_FALSE(caller.accepted);
  EXPECT_EQ(caller.bytes, "");
}

}  // namespace
}  // namespace meshdns::kubernetes
