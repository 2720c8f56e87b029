#include "agent/mapping/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "common/net/fd.h"
#include "common/net/kernel_address.h"

namespace meshdns::mapping {
namespace {

using testing::Contains;
using testing::Not;

/// A socket of loopback, bound at a free port.
struct Bound {
  Bound(const std::string& ip, int type, bool v6_only = false) {
    const auto wanted = KernelAddress::of({IpAddress::parse(ip).value(), 0});
    descriptor = Fd(::socket(wanted.storage.ss_family, type, 0));
    const int only = v6_only ? 1 : 0;
    if (wanted.storage.ss_family == AF_INET6) {
      EXPECT_EQ(::setsockopt(descriptor.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only), 0);
    }
    EXPECT_EQ(::bind(descriptor.get(), wanted.get(), wanted.size), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(descriptor.get(), 1), 0);
    }
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    EXPECT_EQ(::getsockname(descriptor.get(), reinterpret_cast<sockaddr*>(&storage), &size), 0);
    where = {address_of(storage), port_of(storage)};
  }
  Fd descriptor;
  SocketAddress where;
};

TEST(Machine, listeners_and_addresses_are_seen) {
  const Bound tcp("127.0.0.1", SOCK_STREAM);
  const Bound udp("127.0.0.1", SOCK_DGRAM);
  const auto facts = look_at_machine();
  ASSERT_TRUE(facts) << facts.error().message();
  EXPECT_THAT(facts->addresses, Contains(IpAddress::parse("127.0.0.1").value()));
  EXPECT_THAT(facts->listeners, Contains(Listener{tcp.where, Protocol::Tcp}));
  EXPECT_THAT(facts->listeners, Contains(Listener{udp.where, Protocol::Udp}));
  EXPECT_THAT(facts->listeners, Not(Contains(Listener{tcp.where, Protocol::Udp})));
}

TEST(Machine, connections_do_not_listen) {
  const Bound tcp("127.0.0.1", SOCK_STREAM);
  const Fd client(::socket(AF_INET, SOCK_STREAM, 0));
  const auto to = KernelAddress::of(tcp.where);
  ASSERT_EQ(::connect(client.get(), to.get(), to.size), 0);
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ASSERT_EQ(::getsockname(client.get(), reinterpret_cast<sockaddr*>(&storage), &size), 0);
  const auto facts = look_at_machine();
  ASSERT_TRUE(facts);
  EXPECT_THAT(facts->listeners, Not(Contains(Listener{{address_of(storage), port_of(storage)}, Protocol::Tcp})));
}

TEST(Machine, a_socket_of_v6_says_whether_it_takes_v4) {
  const Fd any(::socket(AF_INET6, SOCK_STREAM, 0));
  if (!any) GTEST_SKIP() << "no IPv6 here";
  const Bound both("::", SOCK_STREAM);
  const Bound only("::", SOCK_STREAM, true);
  const auto facts = look_at_machine();
  ASSERT_TRUE(facts);
  EXPECT_THAT(facts->listeners, Contains(Listener{both.where, Protocol::Tcp, false}));
  EXPECT_THAT(facts->listeners, Contains(Listener{only.where, Protocol::Tcp, true}));
}

TEST(Machine, datagrams_that_are_cut_are_an_error) {
  std::vector<Listener> out;
  nlmsghdr header{};
  header.nlmsg_len = 4096;
  std::array<std::byte, sizeof header> bytes{};
  std::memcpy(bytes.data(), &header, sizeof header);
  EXPECT_FALSE(add_listeners(bytes, Protocol::Tcp, out));
  header.nlmsg_len = 3;
  std::memcpy(bytes.data(), &header, sizeof header);
  EXPECT_FALSE(add_listeners(bytes, Protocol::Tcp, out));
  header = {.nlmsg_len = sizeof header, .nlmsg_type = NLMSG_DONE, .nlmsg_flags = 0, .nlmsg_seq = 0, .nlmsg_pid = 0};
  std::memcpy(bytes.data(), &header, sizeof header);
  EXPECT_FALSE(add_listeners(bytes, Protocol::Tcp, out).value());
}

}  // namespace
}  // namespace meshdns::mapping
