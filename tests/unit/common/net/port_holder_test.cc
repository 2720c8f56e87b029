// Who keeps an address from being bound is named by address, port and protocol, not by the port's number alone.
#include "common/net/port_holder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace meshdns {
namespace {

using testing::HasSubstr;

/// A socket that is bound to an address of this machine, and listens if it is TCP.
class Held {
 public:
  Held(int type, std::uint32_t address) : descriptor_(::socket(AF_INET, type, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(address);
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&where), sizeof where), 0);
    if (type == SOCK_STREAM) {
      EXPECT_EQ(::listen(descriptor_, 1), 0);
    }
    socklen_t size = sizeof where;
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&where), &size), 0);
    port_ = ntohs(where.sin_port);
  }
  ~Held() { ::close(descriptor_); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  SocketAddress at(const std::string& address) const {
    const auto ip = IpAddress::parse(address);
    EXPECT_TRUE(ip.has_value());
    return {*ip, port_};
  }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

const std::string kMe = "(pid " + std::to_string(::getpid()) + ")";

TEST(PortHolder, another_address_or_protocol_is_not_in_the_way) {
  const Held tcp(SOCK_STREAM, 0x7F000009);  // 127.0.0.9
  EXPECT_THAT(port_holder(tcp.at("127.0.0.9"), Protocol::Tcp), HasSubstr(kMe));
  EXPECT_EQ(port_holder(tcp.at("127.0.0.8"), Protocol::Tcp), "");
  EXPECT_EQ(port_holder(tcp.at("127.0.0.9"), Protocol::Udp), "");
  EXPECT_EQ(port_holder(tcp.at("::1"), Protocol::Tcp), "");
}

TEST(PortHolder, wildcards_are_in_the_way_of_everybody_and_everybody_in_theirs) {
  const Held one(SOCK_DGRAM, 0x7F000009);
  EXPECT_THAT(port_holder(one.at("0.0.0.0"), Protocol::Udp), HasSubstr(kMe));
  const Held all(SOCK_DGRAM, INADDR_ANY);
  EXPECT_THAT(port_holder(all.at("127.0.0.8"), Protocol::Udp), HasSubstr(kMe));
  EXPECT_EQ(port_holder(all.at("::1"), Protocol::Udp), "");
}

TEST(PortHolder, is_asked_for_only_where_the_address_is_in_use) {
  const Held tcp(SOCK_STREAM, 0x7F000009);
  EXPECT_THAT(held_by(EADDRINUSE, tcp.at("127.0.0.9"), Protocol::Tcp), HasSubstr(", held by "));
  EXPECT_EQ(held_by(EACCES, tcp.at("127.0.0.9"), Protocol::Tcp), "");
}

}  // namespace
}  // namespace meshdns
