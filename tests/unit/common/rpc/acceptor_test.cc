// The acceptor over real sockets: bounds, what waits in the kernel, and what makes room.
#include "common/rpc/acceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "common/time/system_clock.h"

namespace meshdns::rpc {
namespace {

using testing::HasSubstr;

constexpr Duration kPatience = 60s;

/// A client's end of a connection.
class Client {
 public:
  explicit Client(const std::string& bound) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(SocketAddress::parse(bound).value().port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  }
  Client(Client&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  /// The other end has ended it.
  bool ended() const {
    char byte = 0;
    const auto got = ::recv(descriptor_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
  }
  void say(const std::string& text) const {
    EXPECT_EQ(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  std::string name() const {
    sockaddr_in own{};
    socklen_t size = sizeof own;
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&own), &size), 0);
    return "ipv4:127.0.0.1:" + std::to_string(ntohs(own.sin_port));
  }

 private:
  int descriptor_;
};

class AcceptorTest : public testing::Test {
 protected:
  ~AcceptorTest() override {
    if (acceptor_) acceptor_->stop();
    for (const int descriptor : handed_over_) ::close(descriptor);
  }

  void start(Acceptor::Options options, const std::string& address = "127.0.0.1:0") {
    listen(options, address);
    accept();
  }
  void listen(Acceptor::Options options, const std::string& address = "127.0.0.1:0") {
    auto acceptor = Acceptor::listen(address, options, clock_);
    ASSERT_TRUE(acceptor) << acceptor.error().message();
    acceptor_ = std::move(*acceptor);
  }
  void accept() {
    ASSERT_TRUE(acceptor_->start([this](int, int descriptor) {
      const std::lock_guard lock(mutex_);
      handed_over_.push_back(descriptor);
    }));
  }
  bool until(const std::function<bool()>& so) const {
    const TimePoint end = clock_.now() + kPatience;
    while (!so()) {
      if (clock_.now() > end) return false;
      ::poll(nullptr, 0, 1);
    }
    return true;
  }
  bool until_open(std::size_t count) const {
    return until([&] { return acceptor_->counts().open == count; });
  }
  /// As gRPC does with a connection that was shut down.
  void close_those_that_ended() {
    const std::lock_guard lock(mutex_);
    std::erase_if(handed_over_, [](int descriptor) {
      char byte = 0;
      if (::recv(descriptor, &byte, 1, MSG_DONTWAIT | MSG_PEEK) != 0) return false;
      ::close(descriptor);
      return true;
    });
  }
  void close_one() {
    const std::lock_guard lock(mutex_);
    ::close(handed_over_.back());
    handed_over_.pop_back();
  }

  SystemClock clock_;
  std::unique_ptr<Acceptor> acceptor_;
  std::mutex mutex_;
  std::vector<int> handed_over_;
};

TEST_F(AcceptorTest, beyond_the_bound_connections_wait_until_one_is_gone) {
  start({.connections = 2, .per_address = 10, .patience = 1h, .calm = 10ms});
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(acceptor_->bound());
  ASSERT_TRUE(until_open(2));
  ASSERT_TRUE(until([&] { return acceptor_->counts().full; }));
  EXPECT_EQ(acceptor_->counts().accepted, 2U);
  close_one();
  ASSERT_TRUE(until([&] { return acceptor_->counts().accepted == 3; }));
  close_one();
  close_one();
  EXPECT_TRUE(until_open(0)) << "though nobody says so";
  EXPECT_TRUE(until([&] { return !acceptor_->counts().full; }));
  EXPECT_EQ(acceptor_->counts().evicted, 0U);
}

TEST_F(AcceptorTest, those_that_say_nothing_make_room_and_the_others_stay) {
  start({.connections = 3, .per_address = 100, .patience = 0ms});
  const Client good(acceptor_->bound());
  ASSERT_TRUE(until_open(1));
  acceptor_->proven(good.name());
  std::vector<Client> silent;
  for (int i = 0; i < 20; ++i) silent.emplace_back(acceptor_->bound());
  EXPECT_TRUE(until([&] { return close_those_that_ended(), acceptor_->counts().accepted == 21; }));
  EXPECT_FALSE(good.ended());
  EXPECT_EQ(acceptor_->counts().evicted, 18U);
  EXPECT_TRUE(silent.front().ended());
  EXPECT_FALSE(silent.back().ended());
}

// Guards against a queue that holds nothing but connections whose clients have given up and come again: each of them
// cost a handshake, so the next ones had given up, too, before it was their turn.
TEST_F(AcceptorTest, who_gave_up_while_it_waited_is_not_handed_over) {
  listen({.connections = 100, .per_address = 100});
  for (int i = 0; i < 20; ++i) Client(acceptor_->bound()).say("PRI * HTTP/2.0");
  const Client patient(acceptor_->bound());
  accept();
  ASSERT_TRUE(until_open(1));
  EXPECT_EQ(acceptor_->counts().accepted, 1U);
}

TEST_F(AcceptorTest, an_address_with_as_many_as_it_may_is_refused_and_comes_in_later) {
  start({.connections = 100, .per_address = 2});
  const Client first(acceptor_->bound());
  const Client second(acceptor_->bound());
  ASSERT_TRUE(until_open(2));
  const Client third(acceptor_->bound());
  EXPECT_TRUE(until([&] { return third.ended(); }));
  EXPECT_EQ(acceptor_->counts().refused, 1U);
  close_one();
  ASSERT_TRUE(until_open(1));
  const Client fourth(acceptor_->bound());
  EXPECT_TRUE(until_open(2));
  EXPECT_FALSE(fourth.ended());
}

// Guards against the state in which gRPC 1.51's own listener never accepts again.
TEST_F(AcceptorTest, without_descriptors_it_tries_again_until_there_are_some) {
  start({.connections = 100, .per_address = 100});
  std::vector<Client> clients;
  for (int i = 0; i < 5; ++i) clients.emplace_back(acceptor_->bound());
  ASSERT_TRUE(until_open(5));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  clients.emplace_back(acceptor_->bound());
  ASSERT_TRUE(until_open(6));
  Client* waiting = nullptr;
  {
    // the client's socket is the last that there is room for
    const int lowest = ::dup(0);
    ::close(lowest);
    rlimit low = before;
    low.rlim_cur = static_cast<rlim_t>(lowest) + 1;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    waiting = &clients.emplace_back(acceptor_->bound());
  }
  EXPECT_TRUE(until([&] { return acceptor_->counts().failing; }));
  EXPECT_TRUE(until([&] { return acceptor_->counts().failures >= 2; })) << "it tries again";
  EXPECT_FALSE(waiting->ended());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(until_open(7));
  EXPECT_TRUE(until([&] { return !acceptor_->counts().failing; }));
}

TEST_F(AcceptorTest, what_it_hands_over_finds_silent_peers_by_the_kernel) {
  start({});
  const Client client(acceptor_->bound());
  ASSERT_TRUE(until_open(1));
  const auto option = [this](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(handed_over_.front(), level, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 14000);
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_F(AcceptorTest, it_listens_where_it_is_told) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("meshdns-acceptor-" + std::to_string(::getpid()))).string();
  start({}, "unix:" + path);
  EXPECT_EQ(acceptor_->bound(), "unix:" + path);
  const auto second = Acceptor::listen("unix:" + path, {}, clock_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message(), HasSubstr("another process serves there"));
  acceptor_.reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  start({}, "[::1]:0");
  EXPECT_THAT(acceptor_->bound(), testing::MatchesRegex("\\[::1\\]:[1-9][0-9]*"));
  start({});
  const auto in_use = Acceptor::listen(acceptor_->bound(), {}, clock_);
  ASSERT_FALSE(in_use);
  EXPECT_THAT(in_use.error().message(),
              HasSubstr("cannot listen on " + acceptor_->bound() + ": Address already in use, held by "));
}

}  // namespace
}  // namespace meshdns::rpc
