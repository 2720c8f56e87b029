#include "common/resolve/resolver.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/process/asio_loop.h"

namespace meshdns::resolve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using Bytes = std::vector<std::uint8_t>;

constexpr std::uint16_t kA = 1;
constexpr std::uint16_t kCname = 5;
constexpr std::uint16_t kAaaa = 28;

struct Data {
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  Bytes bytes;
};

/// What the server says to one question.
struct Said {
  std::uint8_t rcode = 0;
  std::vector<Data> answers;
  bool silent = false;
};

Data address(std::string_view text, std::uint32_t ttl) {
  const IpAddress ip = IpAddress::parse(text).value();
  return {ip.is_v4() ? kA : kAaaa, ttl, {ip.bytes().begin(), ip.bytes().end()}};
}

void put(Bytes& out, std::uint32_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

/// The name of the question, with dots, and behind its terminal zero the type and the class.
std::string name_of(std::span<const std::uint8_t> query, std::size_t& end) {
  std::string out;
  for (end = 12; query[end] != 0; end += query[end] + std::size_t{1}) {
    if (!out.empty()) out += '.';
    out.append(reinterpret_cast<const char*>(&query[end + 1]), query[end]);
  }
  end += 5;
  return out;
}

/// A DNS server on loopback, over UDP and TCP of one port, on the loop of the test.
class SmallServer {
 public:
  explicit SmallServer(process::EventLoop& loop)
      : udp_(process::io_context_of(loop)), tcp_(process::io_context_of(loop)), stream_(process::io_context_of(loop)) {
    int tries = 0;
    while (!bind_both() && ++tries < 100) {
    }
    receive();
    accept();
  }

  void says(const std::string& name, std::uint16_t type, Said said) { said_[{name, type}] = std::move(said); }
  SocketAddress at() const { return SocketAddress{IpAddress::v4(0x7F000001), udp_.local_endpoint().port()}; }
  int asked(const std::string& name, std::uint16_t type) { return asked_[{name, type}]; }
  int over_tcp() const { return over_tcp_; }

 private:
  /// false = the port that the kernel chose for UDP is taken for TCP
  bool bind_both() {
    udp_ = udp::socket(udp_.get_executor(), {asio::ip::address_v4::loopback(), 0});
    tcp_ = tcp::acceptor(tcp_.get_executor(), tcp::v4());
    boost::system::error_code failed;
    tcp_.bind({asio::ip::address_v4::loopback(), udp_.local_endpoint().port()}, failed);
    if (!failed) tcp_.listen();
    return !failed;
  }

  std::optional<Bytes> reply(std::span<const std::uint8_t> query, std::size_t most) {
    std::size_t end = 0;
    const std::string name = name_of(query, end);
    const auto type = static_cast<std::uint16_t>(query[end - 4] << 8U | query[end - 3]);
    ++asked_[{name, type}];
    const Said& said = said_[{name, type}];
    if (said.silent) return std::nullopt;
    Bytes out(query.begin(), query.begin() + 2);
    put(out, 0x8180U | said.rcode, 2);
    put(out, 1, 2);
    put(out, static_cast<std::uint32_t>(said.answers.size()), 2);
    put(out, 0, 4);
    out.insert(out.end(), query.begin() + 12, query.begin() + static_cast<std::ptrdiff_t>(end));
    for (const Data& data : said.answers) {
      // an alias leads to "b" beneath the root, where the addresses of the answer are
      const bool of_alias = said.answers.front().type == kCname && data.type != kCname;
      of_alias ? put(out, 0x016200, 3) : put(out, 0xC00C, 2);
      put(out, data.type, 2);
      put(out, 1, 2);
      put(out, data.ttl, 4);
      put(out, static_cast<std::uint32_t>(data.bytes.size()), 2);
      out.insert(out.end(), data.bytes.begin(), data.bytes.end());
    }
    if (out.size() > most) {
      out.resize(end);
      out[2] |= 0x02;  // TC
      out[6] = out[7] = 0;
    }
    return out;
  }

  void receive() {
    udp_.async_receive_from(asio::buffer(buffer_), from_, [this](const auto& failed, std::size_t size) {
      if (failed) return;
      if (const auto out = reply(std::span(buffer_).first(size), 512)) udp_.send_to(asio::buffer(*out), from_);
      receive();
    });
  }

  void accept() {
    tcp_.async_accept(stream_, [this](const auto& failed) {
      if (failed) return;
      ++over_tcp_;
      asio::async_read(stream_, asio::buffer(buffer_, 2), [this](const auto& broken, std::size_t) {
        if (!broken) read(static_cast<std::size_t>(buffer_[0] << 8U | buffer_[1]));
      });
    });
  }

  void read(std::size_t size) {
    asio::async_read(stream_, asio::buffer(buffer_, size), [this](const auto& failed, std::size_t got) {
      if (failed) return;
      const auto out = reply(std::span(buffer_).first(got), 65535);
      Bytes framed;
      put(framed, static_cast<std::uint32_t>(out->size()), 2);
      framed.insert(framed.end(), out->begin(), out->end());
      asio::write(stream_, asio::buffer(framed));
    });
  }

  udp::socket udp_;
  tcp::acceptor tcp_;
  tcp::socket stream_;
  udp::endpoint from_;
  std::array<std::uint8_t, 4096> buffer_{};
  std::map<std::pair<std::string, std::uint16_t>, Said> said_;
  std::map<std::pair<std::string, std::uint16_t>, int> asked_;
  int over_tcp_ = 0;
};

class ResolverTest : public testing::Test {
 protected:
  /// Long enough for an answer on a machine that is busy; a silent server costs three times as much.
  Options options() const { return {.servers = {server_.at()}, .timeout = 500ms, .tries = 2}; }

  Result<Answer> resolve(Resolver& resolver, const std::string& name) {
    std::optional<Result<Answer>> got;
    resolver.resolve(name, [&](Result<Answer> result) {
      got = std::move(result);
      loop_.stop();
    });
    EXPECT_FALSE(got) << "before resolve() has returned";
    const TimerId limit = loop_.after(120s, [this] { loop_.stop(); });
    loop_.run();
    loop_.cancel(limit);
    loop_.restart();
    return got ? *got : Error(Code::Internal, "no end within 120 s");
  }
  Result<Answer> resolve(const std::string& name) {
    Resolver resolver(loop_, options());
    return resolve(resolver, name);
  }
  static std::vector<std::string> texts(const Result<Answer>& result) {
    std::vector<std::string> out;
    if (!result) return {result.error().message()};
    for (const IpAddress& address : result->addresses) out.push_back(address.text());
    return out;
  }

  process::EventLoop loop_;
  SmallServer server_{loop_};
};

using testing::ElementsAre;

TEST_F(ResolverTest, both_families_sorted_once_each_with_the_smallest_ttl) {
  server_.says("db.example.net", kA, {0, {address("10.0.0.2", 60), address("10.0.0.1", 30), address("10.0.0.2", 60)}});
  server_.says("db.example.net", kAaaa, {0, {address("fd00::1", 20)}});
  const auto got = resolve("db.example.net");
  EXPECT_THAT(texts(got), ElementsAre("10.0.0.1", "10.0.0.2", "fd00::1"));
  EXPECT_EQ(got->ttl, 20s);
  EXPECT_FALSE(got->unanswered);
}

TEST_F(ResolverTest, an_alias_counts_with_its_own_ttl) {
  server_.says("a.example.net", kA, {0, {{kCname, 7, {1, 'b', 0}}, address("10.0.0.1", 300)}});
  const auto got = resolve("a.example.net");
  EXPECT_THAT(texts(got), ElementsAre("10.0.0.1"));
  EXPECT_EQ(got->ttl, 7s);
}

TEST_F(ResolverTest, one_family_without_addresses_is_an_answer) {
  server_.says("v6.example.net", kAaaa, {0, {address("fd00::1", 20)}});
  const auto got = resolve("v6.example.net");
  EXPECT_THAT(texts(got), ElementsAre("fd00::1"));
  EXPECT_FALSE(got->unanswered);
}

TEST_F(ResolverTest, one_family_that_could_not_be_asked_for_is_told) {
  server_.says("db.example.net", kA, {0, {address("10.0.0.1", 60)}});
  server_.says("db.example.net", kAaaa, {.silent = true});
  const auto got = resolve("db.example.net");
  EXPECT_THAT(texts(got), ElementsAre("10.0.0.1"));
  EXPECT_EQ(got->unanswered, Family::V6);
}

TEST_F(ResolverTest, no_name_no_data_and_no_answer_are_told_apart) {
  server_.says("gone.example.net", kA, {.rcode = 3});
  server_.says("gone.example.net", kAaaa, {.rcode = 3});
  EXPECT_EQ(resolve("gone.example.net").error(), Error(Code::NotFound, "no such name"));
  EXPECT_EQ(resolve("empty.example.net").error(), Error(Code::NotFound, "it has no addresses"));
  for (const std::uint8_t rcode : std::array<std::uint8_t, 2>{2, 5}) {
    server_.says("broken.example.net", kA, {.rcode = rcode});
    server_.says("broken.example.net", kAaaa, {.rcode = rcode});
    EXPECT_EQ(resolve("broken.example.net").error(), Error(Code::Unavailable, "every server refuses or fails"));
  }
  server_.says("silent.example.net", kA, {.silent = true});
  server_.says("silent.example.net", kAaaa, {.silent = true});
  EXPECT_EQ(resolve("silent.example.net").error(), Error(Code::DeadlineExceeded, "no server answers"));
  EXPECT_EQ(server_.asked("silent.example.net", kA), 2) << "as often as there are tries";
}

TEST_F(ResolverTest, what_is_unknown_of_one_family_is_not_taken_for_a_name_without_addresses) {
  server_.says("half.example.net", kAaaa, {.rcode = 2});
  EXPECT_EQ(resolve("half.example.net").error().code(), Code::Unavailable);
}

TEST_F(ResolverTest, a_server_that_nobody_runs_is_an_error_and_the_next_one_is_asked) {
  const SocketAddress nobody{IpAddress::v4(0x7F004201), server_.at().port};  // the server's port at another address
  Resolver alone(loop_, {.servers = {nobody}, .timeout = 500ms, .tries = 2});
  EXPECT_FALSE(resolve(alone, "db.example.net"));
  server_.says("db.example.net", kA, {0, {address("10.0.0.1", 60)}});
  Resolver both(loop_, {.servers = {nobody, server_.at()}, .timeout = 500ms, .tries = 2});
  EXPECT_THAT(texts(resolve(both, "db.example.net")), ElementsAre("10.0.0.1"));
}

TEST_F(ResolverTest, what_does_not_fit_into_a_datagram_comes_over_tcp) {
  Said many;
  for (int i = 1; i <= 40; ++i) many.answers.push_back(address("10.0.0." + std::to_string(i), 60));
  server_.says("many.example.net", kA, many);
  const auto got = resolve("many.example.net");
  EXPECT_EQ(texts(got).size(), 40U);
  EXPECT_EQ(server_.over_tcp(), 1);
}

TEST_F(ResolverTest, many_at_once_and_from_within_an_end) {
  server_.says("db.example.net", kA, {0, {address("10.0.0.1", 60)}});
  Resolver resolver(loop_, options());
  int ended = 0;
  for (int i = 0; i < 20; ++i) {
    resolver.resolve("db.example.net", [&](const Result<Answer>& first) {
      EXPECT_TRUE(first);
      resolver.resolve("db.example.net", [&](const Result<Answer>& second) {
        EXPECT_TRUE(second);
        if (++ended == 20) loop_.stop();
      });
    });
  }
  const TimerId limit = loop_.after(120s, [this] { loop_.stop(); });
  loop_.run();
  loop_.cancel(limit);
  EXPECT_EQ(ended, 20);
}

TEST_F(ResolverTest, what_is_under_way_ends_unheard_with_the_resolver) {
  server_.says("silent.example.net", kA, {.silent = true});
  server_.says("silent.example.net", kAaaa, {.silent = true});
  int heard = 0;
  std::optional<Resolver> resolver(std::in_place, loop_, options());
  resolver->resolve("silent.example.net", [&](const Result<Answer>&) { ++heard; });
  resolver->resolve("empty.example.net", [&](const Result<Answer>&) { ++heard; });
  loop_.after(10ms, [&] {
    heard = 0;  // the second one may have ended
    resolver->resolve("empty.example.net", [&](const Result<Answer>&) { ++heard; });
    resolver.reset();
  });
  loop_.after(300ms, [this] { loop_.stop(); });
  loop_.run();
  EXPECT_EQ(heard, 0);
}

TEST_F(ResolverTest, a_resolver_may_end_in_the_call_that_it_makes) {
  std::optional<Resolver> resolver(std::in_place, loop_, options());
  resolver->resolve("empty.example.net", [&](const Result<Answer>&) {
    resolver.reset();
    loop_.stop();
  });
  loop_.run();
  EXPECT_FALSE(resolver);
}

}  // namespace
}  // namespace meshdns::resolve
