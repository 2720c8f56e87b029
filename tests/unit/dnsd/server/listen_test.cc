// Which address families a listen address takes.
#include <gtest/gtest.h>

#include "dnsd/server/dns_server.h"
#include "tests/support/dns/reply.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/unit/dnsd/server/clients.h"

namespace meshdns::server {
namespace {

using test::Bytes;
using test::must;
using test::parse_reply;
using test::Request;
using test::TcpClient;
using test::UdpClient;

class ListenTest : public testing::Test {
 protected:
  void start(const std::vector<SocketAddress>& listen) {
    test::SmallMesh mesh = test::standard_mesh();
    mesh.settings.listeners.resize(listen.size());  // the table knows each listener, as the daemon's does
    table_.publish(mesh.table());
    options_.listen = listen;
    server_ = must(DnsServer::start(options_, table_, clock_));
  }
  std::uint16_t port() const { return server_->bound().front().port; }
  /// The number of answers from this address over UDP and TCP.
  std::size_t answers_at(const char* ip) const {
    const SocketAddress to{must(IpAddress::parse(ip)), port()};
    const Bytes request = Request{.name = "web.shop.mesh.internal"}.bytes();
    std::size_t out = 0;
    for (const Bytes& raw : {UdpClient(to).ask(request), TcpClient(to).ask(request)}) {
      out += !raw.empty() && must(parse_reply(raw)).answer.size() == 2 ? 1 : 0;
    }
    return out;
  }
  static SocketAddress any(const char* ip, std::uint16_t port) { return {must(IpAddress::parse(ip)), port}; }

  Quiescent<answers::AnswerTable> table_{test::standard_mesh().table()};
  test::StepClock clock_;
  ServerOptions options_;
  std::unique_ptr<DnsServer> server_;  // the last: it reads the others
};

TEST_F(ListenTest, TheUnspecifiedIpv6AddressTakesBothFamilies) {
  start({any("::", 0)});
  EXPECT_EQ(answers_at("127.0.0.1"), 2U);
  EXPECT_EQ(answers_at("::1"), 2U);
  EXPECT_EQ(server_->counters().udp_send_failed, 0U);
}

TEST_F(ListenTest, AnIpv4AddressWithTheSamePortHasASocketOfItsOwn) {
  start({any("::", 0)});
  const std::uint16_t free = port();
  server_.reset();
  for (const char* own : {"0.0.0.0", "127.0.0.1"}) {
    SCOPED_TRACE(own);
    start({any("::", free), any(own, free)});
    EXPECT_EQ(answers_at("127.0.0.1"), 2U);
    EXPECT_EQ(answers_at("::1"), 2U);
    server_.reset();
  }
}

// A worker polled 64 sockets at most: what was listed after them was bound and never read.
TEST_F(ListenTest, EachOfVeryManyAddressesIsRead) {
  std::vector<SocketAddress> listen;
  for (std::uint32_t i = 1; i <= 70; ++i) listen.push_back({IpAddress::v4(0x7F000100U + i), 0});
  start(listen);
  const Bytes request = Request{.name = "web.shop.mesh.internal"}.bytes();
  for (const SocketAddress& bound : {server_->bound().front(), server_->bound().back()}) {
    EXPECT_FALSE(UdpClient(bound).ask(request).empty()) << bound.text();
    EXPECT_FALSE(TcpClient(bound).ask(request).empty()) << bound.text();
  }
}

}  // namespace
}  // namespace meshdns::server
