// How calls end that nobody waits for any more: in each state, without a callback, and without a leak (the sanitizers
// look for leaks).
#include <gtest/gtest.h>

#include <memory>

#include "common/kubernetes/client.h"
#include "common/time/system_clock.h"
#include "tests/unit/common/kubernetes/loop_runner.h"
#include "tests/unit/common/kubernetes/tls_server.h"

namespace meshdns::kubernetes {
namespace {

using test::TlsServer;
using Peer = TlsServer::Peer;

/// Starts a stream, and ends it in one of several ways.
class ClientEndTest : public testing::Test {
 protected:
  void connect(TlsServer::Script script) {
    std::vector<TlsServer::Script> scripts;
    scripts.push_back(std::move(script));
    server_ = std::make_unique<TlsServer>(std::move(scripts));
    client_ = std::make_unique<Client>(*loop_, clock_, server_->server(), Client::Limits{});
  }
  void start() {
    call_ = client_->stream({}, {[this] { ++calls_; },
                                 [this](std::string_view) {
                                   ++calls_;
                                   if (in_callback_) in_callback_();
                                 },
                                 [this](const Result<Answer>&) { ++calls_; }});
  }
  /// Expects that nothing is called back any more, and that the connection ends.
  void expect_end() {
    const int before = calls_;
    if (loop_) test::run_for(*loop_, 20ms);
    EXPECT_EQ(calls_, before);
    EXPECT_TRUE(server_->all_ended());
  }
  /// Ends the call, the client or the loop while a script is in a state. `before` = what the client has done by then.
  void end_in_each_way(const TlsServer::Script& script, const std::function<bool()>& before) {
    const std::vector<std::function<void()>> ways = {[this] { call_.cancel(); }, [this] { call_ = Call(); },
                                                     [this] { client_.reset(); },
                                                     [this] {
                                                       client_.reset();
                                                       loop_.reset();
                                                     }};
    for (const auto& end : ways) {
      calls_ = 0;
      loop_ = std::make_unique<process::EventLoop>();
      connect(script);
      start();
      EXPECT_TRUE(test::run_until(*loop_, before));
      end();
      expect_end();
      client_.reset();
      call_.cancel();
      loop_.reset();
    }
  }

  SystemClock clock_;
  std::unique_ptr<process::EventLoop> loop_ = std::make_unique<process::EventLoop>();
  std::unique_ptr<TlsServer> server_;
  std::unique_ptr<Client> client_;
  Call call_;
  int calls_ = 0;
  std::function<void()> in_callback_;
};

TEST_F(ClientEndTest, before_it_has_begun) {
  end_in_each_way(nullptr, [] { return true; });
}

TEST_F(ClientEndTest, in_the_handshake) {
  end_in_each_way(nullptr, [this] { return server_->connections() == 1; });
}

TEST_F(ClientEndTest, while_it_waits_for_the_answer) {
  std::atomic<bool> asked = false;
  end_in_each_way(
      [&asked](Peer& peer) {
        peer.request();
        asked = true;
        peer.wait_for_close();
      },
      [&asked] { return asked.exchange(false); });
}

TEST_F(ClientEndTest, within_the_body) {
  end_in_each_way(
      [](Peer& peer) {
        peer.request();
        peer.send(test::kChunkedHead);
        peer.send("5\r\nfi");
        peer.wait_for_close();
      },
      [this] { return calls_ == 2; });
}

TEST_F(ClientEndTest, in_its_own_callback) {
  const auto script = [](Peer& peer) {
    peer.request();
    peer.send(test::kChunkedHead);
    for (int i = 0; i < 100; ++i) peer.send_chunk("x");
    peer.send(test::kLastChunk);
    peer.wait_for_close();
  };
  for (const bool whole_client : {false, true}) {
    calls_ = 0;
    connect(script);
    in_callback_ = [this, whole_client] {
      if (whole_client) client_.reset();
      call_.cancel();
    };
    start();
    EXPECT_TRUE(test::run_until(*loop_, [this] { return calls_ == 2; }));
    expect_end();
  }
}

TEST_F(ClientEndTest, a_call_that_is_over_can_be_cancelled) {
  connect([](Peer& peer) {
    peer.request();
    peer.send(test::answer("200 OK", "ok"));
    EXPECT_NE(peer.request(), "") << "the connection is kept for the next call";
    peer.send(test::answer("200 OK", "ok"));
  });
  for (int i = 1; i <= 2; ++i) {
    call_ = client_->send({}, [this](const Result<Answer>& found) { calls_ += found ? 1 : 100; });
    EXPECT_TRUE(test::run_until(*loop_, [this, i] { return calls_ == i; }));
    call_.cancel();
  }
  EXPECT_EQ(server_->connections(), 1U);
}

}  // namespace
}  // namespace meshdns::kubernetes
