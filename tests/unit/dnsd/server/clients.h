#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <functional>
#include <optional>

#include "common/base/check.h"
#include "common/net/socket_address.h"
#include "common/time/time.h"
#include "dnsd/server/socket.h"
#include "tests/support/dns/request.h"

namespace meshdns::test {

inline constexpr int kPatienceMs = 60'000;  // bounds every wait: a test fails instead of hanging

/// Waits until `done`, at most kPatienceMs; asks every 10 ms.
inline bool eventually(const std::function<bool()>& done) {
  for (int waited = 0; waited < kPatienceMs; waited += 10) {
    if (done()) return true;
    ::poll(nullptr, 0, 10);
  }
  return done();
}

/// Time that the test moves, read by the server's threads.
class StepClock : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(now_.load())); }
  std::int64_t unix_seconds() const override { return 0; }
  void advance(Duration by) { now_ += by.count(); }

 private:
  std::atomic<std::int64_t> now_{Duration(1h).count()};
};

inline Fd open_client(const SocketAddress& server, int type) {
  Fd fd(::socket(server.ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
  const timeval timeout{kPatienceMs / 1000, 0};
  MESHDNS_CHECK(fd && ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) == 0);
  const auto kernel = KernelAddress::of(server);
  MESHDNS_CHECK(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&kernel.storage), kernel.size) == 0);
  return fd;
}

/// A connected UDP socket: takes answers from the address that it asks only.
class UdpClient {
 public:
  explicit UdpClient(const SocketAddress& server) : fd_(open_client(server, SOCK_DGRAM)) {}

  void send(const Bytes& packet) {
    MESHDNS_CHECK(::send(fd_.get(), packet.data(), packet.size(), 0) == static_cast<ssize_t>(packet.size()));
  }
  /// Empty = nothing came
  Bytes receive() {
    Bytes out(65535);
    const ssize_t size = ::recv(fd_.get(), out.data(), out.size(), 0);
    out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return out;
  }
  Bytes ask(const Bytes& packet) {
    send(packet);
    return receive();
  }

 private:
  Fd fd_;
};

class TcpClient {
 public:
  explicit TcpClient(const SocketAddress& server) : fd_(open_client(server, SOCK_STREAM)) {}

  static Bytes framed(const Bytes& message) {
    Bytes out = {static_cast<std::uint8_t>(message.size() >> 8), static_cast<std::uint8_t>(message.size())};
    return out + message;
  }
  void send(const Bytes& bytes) {
    MESHDNS_CHECK(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  /// What the kernel takes without waiting
  void send_some(const Bytes& bytes) { ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT); }
  void end_of_input() { ::shutdown(fd_.get(), SHUT_WR); }
  /// The next whole message; empty = the connection ended, or nothing came
  Bytes receive() {
    const Bytes length = exactly(2);
    return length.empty() ? Bytes{} : exactly(static_cast<std::size_t>(length[0] << 8 | length[1]));
  }
  Bytes ask(const Bytes& message) {
    send(framed(message));
    return receive();
  }
  /// The server has closed the connection.
  bool is_over() {
    std::uint8_t byte = 0;
    const ssize_t size = ::recv(fd_.get(), &byte, 1, 0);
    return size == 0 || (size < 0 && errno == ECONNRESET);
  }

 private:
  Bytes exactly(std::size_t size) {
    Bytes out(size);
    const ssize_t got = ::recv(fd_.get(), out.data(), size, MSG_WAITALL);
    return got == static_cast<ssize_t>(size) ? out : Bytes{};
  }

  Fd fd_;
};

}  // namespace meshdns::test
