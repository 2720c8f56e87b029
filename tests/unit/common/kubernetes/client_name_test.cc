// An API server that is known by its name.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <thread>

#include "common/kubernetes/client.h"
#include "common/time/system_clock.h"
#include "tests/unit/common/kubernetes/loop_runner.h"
#include "tests/unit/common/kubernetes/tls_server.h"

namespace meshdns::kubernetes {
namespace {

using test::TlsServer;

constexpr const char* kName = "api.shop.example";
const TlsServer::Script kOk = [](TlsServer::Peer& peer) {
  peer.request();
  peer.send(test::answer("200 OK", "ok"));
};

/// A DNS server for one name: it has the address 127.0.0.1, or does not exist, or the server says nothing.
class NameServer {
 public:
  enum class Says { Loopback, NoSuchName, Nothing };

  explicit NameServer(Says says) : descriptor_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback), 0);
    thread_ = std::thread([this, says] { serve(says); });
  }
  NameServer(const NameServer&) = delete;
  NameServer& operator=(const NameServer&) = delete;
  ~NameServer() {
    ::shutdown(descriptor_, SHUT_RDWR);
    thread_.join();
    ::close(descriptor_);
  }

  SocketAddress address() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    return {IpAddress::parse("127.0.0.1").value(), ntohs(address.sin_port)};
  }

 private:
  void serve(Says says) const {
    std::string query(512, '\0');
    for (;;) {
      sockaddr_in from{};
      socklen_t size = sizeof from;
      const ssize_t got =
          ::recvfrom(descriptor_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (got <= 12) return;
      if (says == Says::Nothing) continue;
      const std::string reply = reply_to(query, says);
      ::sendto(descriptor_, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
  /// Answers a query for A with the address, and one for AAAA with nothing.
  static std::string reply_to(const std::string& query, Says says) {
    const std::size_t end = query.find('\0', 12) + 5;  // of the question
    const bool has_address = says == Says::Loopback && query[end - 3] == 1;
    std::string out = query.substr(0, 2);
    out += {'\x84', says == Says::NoSuchName ? '\3' : '\0', 0, 1, 0, has_address ? '\1' : '\0', 0, 0, 0, 0};
    out += query.substr(12, end - 12);
    if (has_address) out += std::string("\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\1", 16);
    return out;
  }

  const int descriptor_;
  std::thread thread_;
};

class ClientNameTest : public testing::Test {
 protected:
  Result<Answer> get(const TlsServer& server, NameServer::Says says) {
    const NameServer names(says);
    Client client(loop_, clock_, named(server), Client::Limits{});
    client.set_name_servers({names.address()});
    std::optional<Result<Answer>> got;
    const Call call = client.send({}, [&](Result<Answer> found) { got = std::move(found); });
    EXPECT_TRUE(test::run_until(loop_, [&] { return got.has_value(); }));
    return got.value_or(Error(Code::Internal, "no answer"));
  }
  static Server named(const TlsServer& server) {
    Server out = server.server();
    out.host = kName;
    return out;
  }

  process::EventLoop loop_;
  SystemClock clock_;
};

TEST_F(ClientNameTest, the_name_is_looked_up_and_the_certificate_must_be_of_it) {
  const TlsServer server({kOk}, kName);
  const auto found = get(server, NameServer::Says::Loopback);
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->body, "ok");
  const TlsServer other({kOk}, "other.example");
  EXPECT_EQ(get(other, NameServer::Says::Loopback).error(),
            Error(Code::Unavailable, "the certificate of the server is not accepted: hostname mismatch"));
}

TEST_F(ClientNameTest, there_is_no_such_name) {
  const TlsServer server({kOk}, kName);
  EXPECT_EQ(get(server, NameServer::Says::NoSuchName).error(),
            Error(Code::NotFound, "the name api.shop.example: no such name"));
}

TEST_F(ClientNameTest, a_call_can_end_while_the_name_is_looked_up) {
  const TlsServer server({kOk}, kName);
  const NameServer names(NameServer::Says::Nothing);
  for (const bool whole_client : {false, true}) {
    auto client = std::make_unique<Client>(loop_, clock_, named(server), Client::Limits{});
    client->set_name_servers({names.address()});
    int calls = 0;
    Call call = client->send({}, [&calls](const Result<Answer>&) { ++calls; });
    test::run_for(loop_, 5ms);
    if (whole_client) client.reset();
    call.cancel();
    test::run_for(loop_, 5ms);
    EXPECT_EQ(calls, 0);
  }
  EXPECT_EQ(server.connections(), 0U);
}

}  // namespace
}  // namespace meshdns::kubernetes
