#include "common/http/server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/http/client.h"

namespace meshdns::http {
namespace {

class HttpTest : public testing::Test {
 protected:
  Result<Response> fetch(ClientRequest request, Duration timeout = 20s) {
    std::optional<Result<Response>> got;
    get(loop_, request, timeout, [&](Result<Response> response) {
      got = std::move(response);
      loop_.stop();
    });
    loop_.run();
    loop_.restart();
    return *got;
  }

  /// Everything that the server sends until it ends the connection.
  std::string exchange(const SocketAddress& server, const std::string& request) {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    EXPECT_EQ(::send(client, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    std::string answer;
    std::thread reader([&] {
      char piece[4096];
      for (ssize_t size = 0; (size = ::recv(client, piece, sizeof piece, 0)) > 0;)
        answer.append(piece, static_cast<std::size_t>(size));
      loop_.post([this] { loop_.stop(); });
    });
    loop_.run();
    loop_.restart();
    reader.join();
    ::close(client);
    return answer;
  }

  process::EventLoop loop_;
};

Response echo(const Request& request) {
  return {.status = request.path == "/bad" ? 503 : 200, .body = request.method + " " + request.path};
}

/// The process may open no descriptor more, until this goes.
class NoDescriptors {
 public:
  NoDescriptors() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit none = before_;
    const int lowest = dup(0);  // all numbers below it are taken
    none.rlim_cur = static_cast<rlim_t>(lowest);
    close(lowest);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

 private:
  rlimit before_{};
};

// An admin port whose connections could not be accepted kept a core busy.
TEST_F(HttpTest, without_descriptors_it_waits_and_answers_later) {
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), echo).value();
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server->bound().port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "GET /late HTTP/1.0\r\n\r\n";
  {
    const NoDescriptors none;
    ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    ASSERT_EQ(send(client, request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    loop_.after(500ms, [this] { loop_.stop(); });
    const std::clock_t begun = std::clock();
    loop_.run();
    EXPECT_LT(std::clock() - begun, CLOCKS_PER_SEC / 4);
  }
  loop_.restart();
  loop_.after(60s, [this] { loop_.stop(); });
  std::string answer;
  const std::function<void()> look = [&] {
    char buffer[4096];
    const ssize_t size = recv(client, buffer, sizeof buffer, MSG_DONTWAIT);
    if (size > 0) answer.append(buffer, static_cast<std::size_t>(size));
    if (answer.ends_with("/late")) return loop_.stop();
    loop_.after(5ms, look);
  };
  look();
  loop_.run();
  EXPECT_TRUE(answer.starts_with("HTTP/1.0 200")) << answer;
  close(client);
}

TEST_F(HttpTest, answers_over_tcp) {
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), echo).value();
  const auto response = fetch({.address = server->bound(), .path = "/hello?x=1"});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "GET /hello");
}

TEST_F(HttpTest, an_answer_may_come_later_and_have_more_headers) {
  const LateHandler late = [this](const Request& request, const std::function<void(Response)>& done) {
    if (request.path == "/now") return done({.body = "now", .headers = {{"Link", "</2>"}}});
    loop_.after(1ms, [done] { done({.body = "later"}); });
  };
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), late).value();
  EXPECT_EQ(fetch({.address = server->bound(), .path = "/now"})->body, "now");
  EXPECT_EQ(fetch({.address = server->bound(), .path = "/wait"})->body, "later");
}

// Guards the end of a daemon: who is asked may be gone before it answers.
TEST_F(HttpTest, an_answer_that_never_comes_ends_the_connection) {
  const LateHandler never = [](const Request&, const std::function<void(Response)>&) {};
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), never).value();
  const auto response = fetch({.address = server->bound(), .path = "/"});
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().code(), Code::DeadlineExceeded) << response.error().message();
}

TEST_F(HttpTest, a_refused_connection_and_a_silent_server_are_told_apart) {
  const auto port = [this] {
    const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), echo).value();
    return server->bound();
  }();
  const auto refused = fetch({.address = port});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), Error(Code::Unavailable, "connection refused"));
}

TEST_F(HttpTest, a_unix_socket_is_private_and_a_stale_one_is_replaced) {
  const auto path = std::filesystem::temp_directory_path() / ("meshdns-http-" + std::to_string(getpid()) + ".sock");
  {
    const auto first = Server::listen_unix(loop_, path, echo).value();
    EXPECT_EQ(Server::listen_unix(loop_, path, echo).error().code(), Code::AlreadyExists);
    struct stat info {};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0660U);
    EXPECT_EQ(fetch({.unix_path = path, .path = "/bad"}).value().status, 503);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

/// Connections that say nothing.
class SilentClients {
 public:
  explicit SilentClients(const SocketAddress& to) : to_(to) {}
  ~SilentClients() {
    for (const int descriptor : open_) ::close(descriptor);
  }

  void connect(std::size_t count) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to_.port);
    address.sin_addr.s_addr = htonl(to_.ip.v4_host_order());
    for (std::size_t i = 0; i < count; ++i) {
      const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      ASSERT_EQ(::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
      open_.push_back(descriptor);
    }
  }

 private:
  SocketAddress to_;
  std::vector<int> open_;
};

// Guards an admin port that anybody on the machine could occupy.
TEST_F(HttpTest, connections_that_say_nothing_make_room) {
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), echo).value();
  SilentClients silent(server->bound());
  silent.connect(100);
  for (int i = 0; i < 3; ++i) {
    const auto response = fetch({.address = server->bound()});
    ASSERT_TRUE(response) << response.error().message();
    EXPECT_EQ(response->status, 200);
  }
}

/// Connections that ask for something large and never read it.
class DeafClients {
 public:
  explicit DeafClients(const SocketAddress& server) : server_(server) {}
  ~DeafClients() {
    for (const int client : clients_) ::close(client);
  }
  void ask(int count) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server_.port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    constexpr std::string_view kRequest = "GET /large HTTP/1.0\r\n\r\n";
    for (int i = 0; i < count; ++i) {
      const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const int little = 4096;  // is kept for what has come and was not read
      ASSERT_EQ(::setsockopt(client, SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
      ASSERT_EQ(::connect(client, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
      ASSERT_GT(::send(client, kRequest.data(), kRequest.size(), 0), 0);
      clients_.push_back(client);
    }
  }

 private:
  SocketAddress server_;
  std::vector<int> clients_;
};

// Only connections that waited for a request made room: as many that did not read their answers kept everybody out.
TEST_F(HttpTest, connections_that_do_not_read_make_room) {
  int asked = 0;
  const auto large = [&asked, this](const Request& request) {
    if (request.path != "/large") return Response{.body = "small"};
    if (++asked % 20 == 0) loop_.stop();
    return Response{.body = std::string(4 << 20, 'x')};  // more than sockets buffer
  };
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), Handler(large)).value();
  DeafClients deaf(server->bound());
  for (int i = 0; i < 4; ++i) {  // 80
    deaf.ask(20);
    const TimerId patience = loop_.after(60s, [this] { loop_.stop(); });
    loop_.run();
    loop_.cancel(patience);
    loop_.restart();
    ASSERT_EQ(asked, 20 * (i + 1)) << "somebody was kept out";
  }
  const auto response = fetch({.address = server->bound(), .path = "/healthz"});
  ASSERT_TRUE(response) << response.error().message();
  EXPECT_EQ(response->body, "small");
}

// A page whose name is made to resolve to this machine (DNS rebinding) read what the admin port tells.
TEST_F(HttpTest, a_request_for_another_host_is_refused) {
  metrics::Registry registry;
  metrics::Counter& refused = registry.counter(kRefusedRequests, kRefusedHelp);
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), Handler(echo),
                                     {.hosts = {"admin.example.net"}, .refused = &refused})
                          .value();
  testing::internal::CaptureStderr();
  const std::string hostile =
      "\xe2\x80\xae"
      "evil.example";  // control characters are no header's
  for (const std::string& host :
       {std::string("evil.example"), std::string("localhost.evil.example:80"), hostile, std::string("10.1.2.3")}) {
    const std::string answer =
        exchange(server->bound(), "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
    EXPECT_EQ(answer.find("\xe2\x80\xae"), std::string::npos);
    EXPECT_NE(answer.find("DNS rebinding"), std::string::npos) << answer;
  }
  EXPECT_EQ(refused.value(), 4);
  const std::string log = testing::internal::GetCapturedStderr();
  const auto first = log.find("HTTP request refused");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(log.find("HTTP request refused", first + 1), std::string::npos) << "a line a minute: " << log;
  for (const char* host : {"localhost:7401", "127.0.0.1:7401", "[::1]:7401", "127.1.2.3", "Admin.Example.Net."}) {
    const std::string answer =
        exchange(server->bound(), std::string("GET / HTTP/1.1\r\nHost: ") + host + "\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << host << ": " << answer;
  }
  EXPECT_TRUE(exchange(server->bound(), "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200 ")) << "no browser asks so";
  EXPECT_TRUE(exchange(server->bound(), "GET / HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 400 "));
}

// curl printed the names of agents with all that a terminal obeys.
TEST_F(HttpTest, bodies_are_clean) {
  const auto tell = [](const Request& request) {
    Response out{.body = "{\"name\":\"a\xe2\x81\xa6\x1b b\"}\n"};
    if (request.path == "/metrics") out.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return out;
  };
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), Handler(tell)).value();
  EXPECT_EQ(fetch({.address = server->bound(), .path = "/v1"})->body, "{\"name\":\"a\\u2066\\u001b b\"}\n");
  EXPECT_EQ(fetch({.address = server->bound(), .path = "/metrics"})->body, "{\"name\":\"a\\\\u2066\\\\u001b b\"}\n");
}

/// While it lives the process can open no more descriptors than it has now, and `more`.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    const rlimit low{static_cast<rlim_t>(next) + more, before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// Guards against a loop that spins at accept(2) while there are no descriptors.
TEST_F(HttpTest, it_pauses_while_no_connection_can_be_accepted_and_says_so_once) {
  const auto server = Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), echo).value();
  SilentClients silent(server->bound());
  testing::internal::CaptureStderr();
  rusage before{};
  rusage after{};
  {
    const FewDescriptors few(1);
    silent.connect(1);  // takes the last one
    ::getrusage(RUSAGE_THREAD, &before);
    loop_.after(500ms, [this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
    ::getrusage(RUSAGE_THREAD, &after);
  }
  const auto spent = [](const timeval& time) { return time.tv_sec * 1'000'000 + time.tv_usec; };
  EXPECT_LT(spent(after.ru_utime) + spent(after.ru_stime) - spent(before.ru_utime) - spent(before.ru_stime), 250'000)
      << "microseconds of work, in half a second in which there was none";
  EXPECT_EQ(fetch({.address = server->bound()})->status, 200);
  const std::string log = testing::internal::GetCapturedStderr();
  const auto first = log.find("cannot accept connections");
  EXPECT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("cannot accept connections", first + 1), std::string::npos) << log;
  EXPECT_NE(log.find("connections are accepted again"), std::string::npos) << log;
}

TEST_F(HttpTest, a_body_has_the_bound_of_the_settings) {
  const Handler length = [](const Request& request) {
    return Response{.body = std::to_string(request.body.size()) + " bytes"};
  };
  const std::size_t bound = 200'000;
  const auto server =
      Server::listen(loop_, SocketAddress::parse("127.0.0.1:0").value(), length, {.most_body = bound}).value();
  const auto post = [&](std::size_t size) {
    return exchange(server->bound(), "POST / HTTP/1.0\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                                         std::string(std::min(size, bound), 'x'));
  };
  EXPECT_NE(post(bound).find("200000 bytes"), std::string::npos);
  EXPECT_EQ(post(bound + 1).find("HTTP/1.0 413 "), 0U) << post(bound + 1);
}

}  // namespace
}  // namespace meshdns::http
