#include "dnsd/server/udp_batch.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "dnsd/server/socket.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::server {
namespace {

using test::must;

/// A client's socket; it may ask several addresses of the server.
class Client {
 public:
  Client() : fd_(must(open_udp(must(SocketAddress::parse("127.0.0.1:0")), false))) {}

  void ask(const std::string& text, const SocketAddress& server) const {
    const KernelAddress to = KernelAddress::of(server);
    ASSERT_EQ(::sendto(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to.storage), to.size),
              static_cast<ssize_t>(text.size()));
  }
  /// What arrives within the wait, and from which address; empty = nothing
  std::pair<std::string, std::string> receive(int wait_ms) const {
    pollfd entry{fd_.get(), POLLIN, 0};
    if (::poll(&entry, 1, wait_ms) <= 0) return {};
    std::string text(4096, '\0');
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return {text, address_of(from).text()};
  }

 private:
  Fd fd_;
};

class UdpBatchTest : public testing::Test {
 protected:
  void listen(const char* address, bool wildcard) {
    wildcard_ = wildcard;
    server_ = must(open_udp(must(SocketAddress::parse(address)), false));
    port_ = bound_address(server_).port;
  }
  SocketAddress at(const char* address) const {
    return must(SocketAddress::parse(address + (":" + std::to_string(port_))));
  }

  /// Answers a whole batch: "drop..." not at all, other texts with themselves between brackets.
  unsigned serve() {
    const unsigned count = batch_.receive(server_.get(), wildcard_, MSG_WAITFORONE);
    for (unsigned i = 0; i < count; ++i) {
      const auto request = batch_.request(i);
      const std::string text(request.begin(), request.end());
      const std::string answer = text.starts_with("drop") ? "" : "<" + text + ">";
      std::copy(answer.begin(), answer.end(), batch_.buffer(i));
      batch_.set_answer(i, answer.size());
    }
    batch_.send(server_.get());
    return count;
  }

  Fd server_;
  bool wildcard_ = false;
  std::uint16_t port_ = 0;
  UdpBatch batch_;
};

TEST_F(UdpBatchTest, EachOfAMixedBatchGetsItsOwn) {
  listen("127.0.0.1:0", false);
  const std::vector<Client> clients(3);
  // runs of one client, of equal and of other lengths, broken by other clients and by what is not answered
  const std::vector<std::pair<std::size_t, std::string>> asked = {
      {0, "a1"}, {0, "a2"}, {0, "a3"}, {0, "longer-4"}, {0, "longer-5"}, {1, "b1"},    {0, "a6"},    {1, "b2"},
      {1, "b3"}, {2, "c1"}, {2, "c2"}, {2, "c3"},       {2, "drop"},     {2, "c4"},    {2, "drop2"}, {0, "a7"},
      {0, "a8"}, {1, "x"},  {1, "y"},  {1, "z"},        {1, "xyz"},      {0, "drop3"}, {0, "a9"},    {0, "b9"}};
  for (int round = 0; round < 3; ++round) {
    std::map<std::size_t, std::vector<std::string>> expected;
    for (const auto& [client, text] : asked) {
      clients[client].ask(text, at("127.0.0.1"));
      if (!text.starts_with("drop")) expected[client].push_back("<" + text + ">");
    }
    for (unsigned served = 0; served < asked.size();) served += serve();
    for (const auto& [client, texts] : expected) {
      for (const std::string& text : texts)
        EXPECT_EQ(clients[client].receive(60000).first, text) << "client " << client;
      EXPECT_EQ(clients[client].receive(0).first, "") << "client " << client << " got more than it asked for";
    }
  }
  EXPECT_EQ(batch_.failed().value(), 0U);
  EXPECT_GT(batch_.segmented().value(), 0U);
  EXPECT_TRUE(batch_.segments());
}

TEST_F(UdpBatchTest, ARunLeavesFromTheAddressThatWasAsked) {
  listen("0.0.0.0:0", true);
  const Client client;
  const std::vector<const char*> addresses = {"127.0.0.1", "127.0.0.1", "127.0.0.2", "127.0.0.2",
                                              "127.0.0.2", "127.0.0.1", "127.0.0.2", "127.0.0.1"};
  for (const char* address : addresses) client.ask("from" + std::string(address), at(address));
  for (unsigned served = 0; served < addresses.size();) served += serve();
  for (const char* address : addresses) {
    EXPECT_EQ(client.receive(60000), std::pair("<from" + std::string(address) + ">", std::string(address)));
  }
  EXPECT_EQ(batch_.failed().value(), 0U);
  EXPECT_GT(batch_.segmented().value(), 0U);
}

TEST_F(UdpBatchTest, WhatTheKernelDoesNotSegmentLeavesSingly) {
  listen("127.0.0.1:0", false);
  const int on = 1;  // without checksums there is no segmenting: the kernel says EINVAL
  ASSERT_EQ(::setsockopt(server_.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
  const Client client;
  for (int round = 0; round < 2; ++round) {
    for (const char* text : {"1", "2", "3"}) client.ask(text, at("127.0.0.1"));
    for (unsigned served = 0; served < 3;) served += serve();
    for (const char* text : {"<1>", "<2>", "<3>"}) EXPECT_EQ(client.receive(60000).first, text);
    EXPECT_FALSE(batch_.segments()) << "it is tried once";
  }
  EXPECT_EQ(batch_.failed().value(), 0U);
  EXPECT_EQ(batch_.segmented().value(), 3U);
}

TEST_F(UdpBatchTest, AFullBatchAndWhatIsLeft) {
  listen("127.0.0.1:0", false);
  const Client client;
  for (int i = 0; i < 70; ++i) client.ask(std::to_string(i), at("127.0.0.1"));
  EXPECT_EQ(serve(), UdpBatch::kMost);
  EXPECT_EQ(serve(), UdpBatch::kMost);
  EXPECT_EQ(serve(), 6U);
  for (int i = 0; i < 70; ++i) EXPECT_EQ(client.receive(60000).first, "<" + std::to_string(i) + ">");
}

}  // namespace
}  // namespace meshdns::server
