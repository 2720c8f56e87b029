#include "agent/probes/http_probe.h"

#include <gtest/gtest.h>

#include "tests/unit/agent/probes/scripted_server.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string answer(const std::string& status, const std::string& body = "") {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

ProbeResult success() { return ProbeResult{Outcome::Success}; }

class HttpProbeTest : public testing::Test {
 protected:
  /// Makes one check at a server with one script.
  ProbeResult checked(ScriptedServer::Script script, const HttpCheck& check = {}, Duration timeout = 20s) {
    const ScriptedServer server({std::move(script)});
    HttpProbe probe(loop_, server.address(), check);
    return run_probe(loop_, probe, timeout);
  }
  ProbeResult answered(const std::string& bytes, const HttpCheck& check = {}) { return checked(answers(bytes), check); }

  /// Runs the loop until a condition holds, at most 20 s.
  void until(const std::function<bool()>& holds) {
    for (int i = 0; i < 20'000 && !holds(); ++i) {
      loop_.after(1ms, [this] { loop_.stop(); });
      loop_.run();
      loop_.restart();
    }
    ASSERT_TRUE(holds());
  }

  process::EventLoop loop_;
};

TEST_F(HttpProbeTest, the_status_decides) {
  EXPECT_EQ(answered(answer("200 OK")), success());
  EXPECT_EQ(answered(answer("399 x")), success());
  EXPECT_EQ(answered(answer("404 Not Found")), (ProbeResult{Outcome::Failure, "http 404"}));
  EXPECT_EQ(answered(answer("503 x")), (ProbeResult{Outcome::Failure, "http 503"}));
}

TEST_F(HttpProbeTest, a_list_of_statuses) {
  const HttpCheck check{.status = {{200, 299}, {401, 401}}};
  EXPECT_EQ(answered(answer("204 x"), check), success());
  EXPECT_EQ(answered(answer("401 x"), check), success());
  EXPECT_EQ(answered(answer("301 x"), check), (ProbeResult{Outcome::Failure, "http 301"})) << "not followed";
}

// The bytes of a server, and the verdict. What is read of odd answers is in answer_reader_test.cc.
TEST_F(HttpProbeTest, the_verdict_of_each_answer) {
  struct Case {
    std::string bytes;
    HttpCheck check;
    ProbeResult verdict;
  };
  const HttpCheck contains{.contains = "ready"};
  const HttpCheck regex{.regex = "\"db\": *\"(up|slow)\""};
  const HttpCheck head{.method = "HEAD"};
  const auto failure = [](const std::string& detail) { return ProbeResult{Outcome::Failure, detail}; };
  const std::vector<Case> cases = {
      {"HTTP/1.1 200\n\n", {}, success()},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\n\r\n" + kOk, {}, success()},
      {"HTTP/1.1 100 Continue\r\n\r\n", {}, failure("not an HTTP answer: it ends in its headers")},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok", {}, success()},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head, success()},
      {"220 mail ESMTP\r\n", {}, failure("not an HTTP answer: it begins with \"220 mail ESMTP\"")},
      {"", {}, failure("not an HTTP answer: the connection was closed without one")},
      {answer("200 OK", "all ready"), contains, success()},
      {answer("200 OK", "not yet"), contains, failure("http 200 without \"ready\" in the body")},
      {answer("503 x", "ready"), contains, failure("http 503")},
      {"HTTP/1.0 200 OK\r\n\r\nready", contains, success()},
      {"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nready", contains,
       failure("not an HTTP answer: it ends before its body does")},
      {"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nready", contains,
       failure("not an HTTP answer: its body is not framed as its headers say")},
      {answer("200 OK", std::string(65'531, ' ') + "ready"), contains, success()},
      {answer("200 OK", std::string(65'536, ' ') + "ready"), contains,
       failure("http 200 without \"ready\" in the body in the first 64 KiB")},
      {answer("200 OK", R"({"db": "slow"})"), regex, success()},
      {answer("200 OK", R"({"db": "down"})"), regex,
       failure("http 200 with a body that does not match \"db\": *\"(up|slow)\"")},
  };
  for (const Case& one : cases) EXPECT_EQ(answered(one.bytes, one.check), one.verdict) << one.bytes.substr(0, 80);
}

TEST_F(HttpProbeTest, sends_what_the_check_says) {
  std::string asked;
  const auto script = [&](ScriptedServer::Peer& peer) {
    asked = peer.request();
    peer.send(kOk);
  };
  EXPECT_EQ(checked(script, {.method = "POST", .path = "/a?b", .host = "web.example", .headers = {{"X-Token", "t"}}}),
            success());
  EXPECT_EQ(asked,
            "POST /a?b HTTP/1.1\r\nHost: web.example\r\nUser-Agent: meshdns\r\nConnection: close\r\nX-Token: t\r\n"
            "Content-Length: 0\r\n\r\n");
}

// ---- hostile servers ----

TEST_F(HttpProbeTest, refusal) {
  const LoopbackSocket no_listener("127.0.0.1", -1);
  HttpProbe refused(loop_, no_listener.address(), {});
  EXPECT_EQ(run_probe(loop_, refused), (ProbeResult{Outcome::Refused, "connection refused"}));
}

TEST_F(HttpProbeTest, slowness_ends_at_the_timeout) {
  const ProbeResult timeout{Outcome::Timeout, "timeout after 50ms"};
  const auto hangs = [](ScriptedServer::Peer& peer) { peer.wait_for_close(); };
  EXPECT_EQ(checked(hangs, {}, 50ms), timeout) << "accepts and hangs";
  const auto half = [](ScriptedServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nA: ");
    peer.wait_for_close();
  };
  EXPECT_EQ(checked(half, {}, 50ms), timeout) << "half a header";
  const auto drips = [](ScriptedServer::Peer& peer) {
    peer.send("HTTP/1.1 200 OK\r\nA: ");
    for (int i = 0; i < 2000 && peer.send("x"); ++i) std::this_thread::sleep_for(1ms);
  };
  EXPECT_EQ(checked(drips, {}, 50ms), timeout) << "a header, byte by byte";
  const auto holds = [](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nready");
    peer.wait_for_close();
  };
  EXPECT_EQ(checked(holds, {.contains = "ready"}, 50ms), timeout) << "a body without end";
  EXPECT_EQ(checked(holds, {}), success()) << "the status is enough";
}

TEST_F(HttpProbeTest, size_ends_at_64_KiB) {
  const auto headers = [](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\n");
    const std::string line = "A: " + std::string(1000, 'x') + "\r\n";
    for (int i = 0; i < 10'000 && peer.send(line); ++i) continue;
  };
  EXPECT_EQ(checked(headers),
            (ProbeResult{Outcome::Failure, "not an HTTP answer: its headers are longer than 64 KiB"}));
  const auto body = [](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (peer.send("400\r\n" + std::string(0x400, 'x') + "\r\n")) continue;  // up to our RST
  };
  EXPECT_EQ(checked(body), success());
  EXPECT_EQ(checked(body, {.contains = "y"}).detail, "http 200 without \"y\" in the body in the first 64 KiB");
  const auto interim = [](ScriptedServer::Peer& peer) {
    peer.request();
    while (peer.send("HTTP/1.1 102 Processing\r\n\r\n")) continue;
  };
  EXPECT_EQ(checked(interim), (ProbeResult{Outcome::Failure, "not an HTTP answer: it consists of interim answers"}));
}

TEST_F(HttpProbeTest, rst_at_every_step) {
  for (const std::string& before : {std::string(), std::string("HTTP/1.1 2"), kOk.substr(0, 30)}) {
    const auto script = [&](ScriptedServer::Peer& peer) {
      peer.request();
      peer.send(before);
      peer.reset();
    };
    const auto result = checked(script, {.contains = "ok"});
    EXPECT_EQ(result.outcome, Outcome::Failure) << before;
    EXPECT_EQ(result.detail, "connection reset by peer") << before;
  }
  const auto at_once = [](ScriptedServer::Peer& peer) { peer.reset(); };
  EXPECT_EQ(checked(at_once).outcome, Outcome::Failure);
}

// ---- connections that are kept ----

TEST_F(HttpProbeTest, a_connection_serves_several_checks_but_not_for_ever) {
  const ScriptedServer server({keeps_answering(kOk)});
  HttpProbe probe(loop_, server.address(), {});
  for (unsigned i = 0; i < HttpProbe::kMostUses; ++i) EXPECT_EQ(run_probe(loop_, probe), success());
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(run_probe(loop_, probe), success());
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(HttpProbeTest, the_rest_of_a_body_is_read_before_the_next_check) {
  const auto script = [](ScriptedServer::Peer& peer) {
    while (!peer.request().empty() && peer.send("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n")) {
      std::this_thread::sleep_for(5ms);
      peer.send(std::string(20'000, 'b'));
    }
  };
  const ScriptedServer server({script});
  HttpProbe probe(loop_, server.address(), {});
  EXPECT_EQ(run_probe(loop_, probe), success());
  loop_.after(100ms, [this] { loop_.stop(); });
  loop_.run();
  loop_.restart();
  EXPECT_EQ(run_probe(loop_, probe), success());
  EXPECT_GE(server.connections(), 1U);  // two where the machine was busy for those 100 ms
}

// Guards a graceful restart, in which a server closes its idle connections: no check may fail by that.
TEST_F(HttpProbeTest, a_connection_that_the_server_closed_is_replaced) {
  const auto once = [](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send(kOk);
    peer.request();  // the server closes in the moment in which the next request comes
  };
  const auto once_with_rst = [&](ScriptedServer::Peer& peer) {
    once(peer);
    peer.reset();
  };
  const ScriptedServer server({once, once_with_rst, keeps_answering(kOk)});
  HttpProbe probe(loop_, server.address(), {});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run_probe(loop_, probe), success()) << i;
  EXPECT_EQ(server.connections(), 3U);
}

TEST_F(HttpProbeTest, there_is_one_retry_and_none_on_a_new_connection) {
  const auto once = [](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send(kOk);
    peer.request();
  };
  const auto never = [](ScriptedServer::Peer& peer) { peer.request(); };
  const ScriptedServer server({once, never});
  HttpProbe probe(loop_, server.address(), {});
  EXPECT_EQ(run_probe(loop_, probe), success());
  EXPECT_EQ(run_probe(loop_, probe),
            (ProbeResult{Outcome::Failure, "not an HTTP answer: the connection was closed without one"}));
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(HttpProbeTest, an_idle_connection_that_ends_is_closed_at_once) {
  std::atomic<bool> closed = false;
  const auto script = [&](ScriptedServer::Peer& peer) {
    peer.request();
    peer.send(kOk);
    peer.end();
    peer.wait_for_close();
    closed = true;
  };
  const ScriptedServer server({script});
  HttpProbe probe(loop_, server.address(), {});
  EXPECT_EQ(run_probe(loop_, probe), success());
  until([&] { return closed.load(); });
}

// Guards a server that answers on the connections it has, while nothing listens any more.
TEST_F(HttpProbeTest, after_an_event_it_connects_anew) {
  const ScriptedServer server({keeps_answering(kOk)});
  HttpProbe probe(loop_, server.address(), {});
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run_probe(loop_, probe), success());
    probe.reconnect();
  }
  EXPECT_EQ(run_probe(loop_, probe), success());
  EXPECT_EQ(server.connections(), 3U);
}

TEST_F(HttpProbeTest, some_answers_and_methods_end_the_connection) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
      {"GET", kOk + "and more"},
      {"POST", kOk}};
  for (const auto& [method, bytes] : cases) {
    const ScriptedServer server({keeps_answering(bytes)});
    HttpProbe probe(loop_, server.address(), {.method = method});
    EXPECT_EQ(run_probe(loop_, probe), success());
    EXPECT_EQ(run_probe(loop_, probe), success());
    EXPECT_EQ(server.connections(), 2U) << method << " " << bytes;
  }
}

// ---- the life of a probe ----

TEST_F(HttpProbeTest, nothing_is_called_after_its_end) {
  const ScriptedServer server({keeps_answering(kOk)});
  unsigned calls = 0;
  {
    HttpProbe probe(loop_, server.address(), {});
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
    probe.run(20s, [&](const ProbeResult&) { ++calls; });
  }
  loop_.after(50ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(calls, 0U);
}

TEST_F(HttpProbeTest, its_result_may_end_it) {
  const ScriptedServer server({keeps_answering(kOk)});
  auto probe = std::make_unique<HttpProbe>(loop_, server.address(), HttpCheck{});
  probe->run(20s, [&](const ProbeResult&) {
    probe.reset();
    loop_.stop();
  });
  loop_.run();
  EXPECT_EQ(probe, nullptr);
}

}  // namespace
}  // namespace meshdns::probes
