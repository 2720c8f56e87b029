#include "dnsd/server/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "dnsd/server/dns_server.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/server/clients.h"

namespace meshdns::server {
namespace {

using test::Bytes;
using test::must;
using test::Request;
using test::TcpClient;
using test::UdpClient;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kWeb = "web.shop.mesh.internal";

/// The real server, asked over loopback; what it captures is there when the answer is.
class CaptureTest : public testing::Test {
 protected:
  CaptureTest() {
    ServerOptions options;
    options.listen = {must(SocketAddress::parse("127.0.0.1:0"))};
    server_ = must(DnsServer::start(options, table_, clock_));
  }

  Capture& capture() { return server_->capture(); }
  void capture_host(const std::string& host) { capture().start({must(wire::parse_name(host)), std::nullopt}); }
  void ask(const std::string& name, wire::Type type = wire::Type::A) {
    const Bytes request = Request{.name = name, .type = type}.bytes();
    ASSERT_FALSE(UdpClient(server_->bound()[0]).ask(request).empty());
  }
  void ask_tcp(const std::string& name) {
    ASSERT_FALSE(TcpClient(server_->bound()[0]).ask(Request{.name = name}.bytes()).empty());
  }
  /// "udp 127.0.0.1 1 web.shop.mesh.internal. rcode 0, 2 answers"
  static std::string text_of(const CapturedQuery& query) {
    return std::string(query.stream ? "tcp " : "udp ") + query.client.text() + " " +
           std::to_string(static_cast<unsigned>(query.type)) + " " + wire::name_text(query.name_view()) + " rcode " +
           std::to_string(query.rcode) + ", " + std::to_string(query.answers) + " answers" +
           (query.tier ? ", tier " + std::to_string(*query.tier) : "");
  }
  std::vector<std::string> taken() {
    std::vector<std::string> out;
    for (const CapturedQuery& query : capture().take().queries) out.push_back(text_of(query));
    return out;
  }

  Quiescent<answers::AnswerTable> table_{test::standard_mesh().table()};
  test::StepClock clock_;
  std::unique_ptr<DnsServer> server_;
};

TEST_F(CaptureTest, NothingIsKeptUnlessSomebodyLooks) {
  ask(kWeb);
  EXPECT_THAT(taken(), IsEmpty());
  capture_host("mesh.internal");
  EXPECT_THAT(taken(), IsEmpty());
  ask(kWeb);
  capture().stop();
  ask(kWeb);
  EXPECT_THAT(taken(), IsEmpty()) << "what was not taken is gone with its end";
}

TEST_F(CaptureTest, ShowsWhatWasAskedAndAnswered) {
  capture_host("mesh.internal");
  ask(kWeb);
  ask_tcp(kWeb);
  ask("WWW.mesh.internal");
  ask("nope.mesh.internal");
  ask(kWeb, wire::Type::MX);
  EXPECT_THAT(taken(),
              testing::UnorderedElementsAre("udp 127.0.0.1 1 web.shop.mesh.internal. rcode 0, 2 answers, tier 0",
                                            "tcp 127.0.0.1 1 web.shop.mesh.internal. rcode 0, 2 answers, tier 0",
                                            "udp 127.0.0.1 1 www.mesh.internal. rcode 0, 3 answers",
                                            "udp 127.0.0.1 1 nope.mesh.internal. rcode 3, 0 answers",
                                            "udp 127.0.0.1 15 web.shop.mesh.internal. rcode 0, 0 answers"));
  EXPECT_THAT(taken(), IsEmpty()) << "each is told once";
}

TEST_F(CaptureTest, OnlyTheHostAndWhatIsBelow) {
  capture_host(kWeb);
  ask("three.shop.mesh.internal");
  ask("shop.mesh.internal");
  ask("10-0-0-11.web.shop.mesh.internal");
  EXPECT_THAT(taken(), ElementsAre("udp 127.0.0.1 1 10-0-0-11.web.shop.mesh.internal. rcode 0, 1 answers"));
}

TEST_F(CaptureTest, OnlyTheClientsOfThePrefix) {
  capture().start({{}, must(Prefix::parse("10.0.0.0/8"))});
  ask(kWeb);
  EXPECT_THAT(taken(), IsEmpty());
  capture().start({{}, must(Prefix::parse("127.0.0.0/8"))});
  ask(kWeb);
  EXPECT_EQ(taken().size(), 1U);
}

TEST_F(CaptureTest, WhatFindsNoRoomIsCounted) {
  capture_host("mesh.internal");
  UdpClient client(server_->bound()[0]);
  constexpr std::size_t kMore = 10;
  for (std::size_t i = 0; i < Capture::kMost + kMore; ++i) client.ask(Request{.name = kWeb}.bytes());
  const Capture::Taken taken = capture().take();
  EXPECT_EQ(taken.queries.size(), Capture::kMost);
  EXPECT_EQ(taken.missed, kMore);
  EXPECT_EQ(capture().take().missed, 0U);
}

// for the sanitizers: it begins, is emptied and ends while threads answer
TEST_F(CaptureTest, BeginsAndEndsUnderLoad) {
  std::atomic<bool> done{false};
  std::thread asker([&] {
    UdpClient client(server_->bound()[0]);
    while (!done) client.ask(Request{.name = kWeb}.bytes());
  });
  std::size_t seen = 0;
  for (int round = 0; round < 50; ++round) {
    capture_host(kWeb);
    ask(kWeb);
    for (int i = 0; i < 20; ++i) seen += capture().take().queries.size();
    capture().stop();
  }
  EXPECT_GT(seen, 0U);
  done = true;
  asker.join();
}

}  // namespace
}  // namespace meshdns::server
