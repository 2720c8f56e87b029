#include "common/http/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <thread>

namespace meshdns::http {
namespace {

/// Answers one connection with fixed bytes, which no server library would write, and closes it.
class RawServer {
 public:
  explicit RawServer(std::string answer) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(descriptor_, 1);
    thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
  }
  ~RawServer() {
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
  void serve(const std::string& answer) const {
    const int connection = ::accept(descriptor_, nullptr, nullptr);
    std::string request;
    char byte = 0;
    while (!request.ends_with("\r\n\r\n") && ::recv(connection, &byte, 1, 0) == 1) request += byte;
    std::size_t sent = 0;
    while (sent < answer.size()) {
      const ssize_t count = ::send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    ::shutdown(connection, SHUT_WR);
    while (::recv(connection, &byte, 1, 0) == 1) continue;  // else unread bytes would reset the connection
    ::close(connection);
  }

  int descriptor_;
  std::thread thread_;
};

Result<Response> answered(const std::string& answer, const std::string& method = "GET") {
  process::EventLoop loop;
  const RawServer server(answer);
  std::optional<Result<Response>> got;
  get(loop, {.address = server.address(), .method = method}, 60s, [&](Result<Response> response) {
    got = std::move(response);
    loop.stop();
  });
  loop.run();
  return *got;
}

int status(const std::string& answer) {
  const auto response = answered(answer);
  return response ? response->status : 0;
}

// Guards checks of real servers that were taken for failing.
TEST(HttpClient, skips_interim_answers) {
  EXPECT_EQ(status("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                   "HTTP/1.1 204 No Content\r\n\r\n"),
            204);
  EXPECT_EQ(status("HTTP/1.1 102 Processing\n\nHTTP/1.1 503 no\n\n"), 503);
}

TEST(HttpClient, takes_headers_of_up_to_64_KiB) {
  const std::string cookie = "Set-Cookie: " + std::string(60 * 1024, 'x') + "\r\n";
  EXPECT_EQ(status("HTTP/1.1 200 OK\r\n" + cookie + "Content-Length: 2\r\n\r\nok"), 200);
  const auto longer = answered("HTTP/1.1 200 OK\r\n" + cookie + cookie + "\r\n");
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error(), Error(Code::DataLoss, "not an HTTP answer: its headers are longer than 64 KiB"));
}

TEST(HttpClient, is_lenient_where_the_status_is_clear) {
  EXPECT_EQ(status("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), 200) << "no reason";
  EXPECT_EQ(status("HTTP/1.0 200 OK\nContent-Type: text/plain\n\nfine"), 200) << "bare LF, until the end";
  EXPECT_EQ(status("HTTP/1.1 404 Not Found\r\nContent-Length : 0\r\nnonsense\r\n\r\n"), 404) << "Name :";
  EXPECT_EQ(status("HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\nfine"), 200) << "a length that is none";
}

TEST(HttpClient, reads_the_body) {
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Type : text/x\r\nContent-Length: 4\r\n\r\nfine")->body, "fine");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n")->body, "fine");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Type : text/x\r\n\r\n")->content_type, "text/x");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'b'))->body.size(), 64U * 1024);
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HEAD")->status, 200);
}

TEST(HttpClient, what_is_not_http_or_cut_is_an_error) {
  EXPECT_EQ(answered("SSH-2.0-OpenSSH_9.2p1\r\n\r\n").error(),
            Error(Code::DataLoss, "not an HTTP answer: it begins with \"SSH-2.0-OpenSSH_\""));
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").error(),
            Error(Code::DataLoss, "not an HTTP answer: it ends before its body does"));
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nA: b").error(),
            Error(Code::DataLoss, "not an HTTP answer: it ends in its headers"));
  EXPECT_EQ(answered("").error().code(), Code::DataLoss);
}

}  // namespace
}  // namespace meshdns::http
