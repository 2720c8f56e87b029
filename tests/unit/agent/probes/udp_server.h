#pragma once

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/socket_address.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {

/// A UDP server on loopback, on the loop of the test.
class UdpServer {
 public:
  using Udp = boost::asio::ip::udp;
  /// Gets a datagram; returns those to send back, in order.
  using Answers = std::function<std::vector<std::string>(std::string_view)>;

  UdpServer(process::EventLoop& loop, Answers answers, const char* ip = "127.0.0.1")
      : socket_(process::io_context_of(loop), {boost::asio::ip::make_address(ip), 0}),
        stranger_(process::io_context_of(loop), {boost::asio::ip::make_address(ip), 0}),
        answers_(std::move(answers)) {
    receive();
  }

  SocketAddress at() const {
    const auto bound = socket_.local_endpoint();
    return {IpAddress::parse(bound.address().to_string()).value(), bound.port()};
  }
  /// From now on answers come from another port.
  void answer_from_elsewhere() { elsewhere_ = true; }
  unsigned received() const { return received_; }

 private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(buffer_), from_, [this](const auto& failed, std::size_t size) {
      if (failed == boost::asio::error::operation_aborted) return;
      if (!failed) answer({buffer_.data(), size});
      receive();
    });
  }

  void answer(std::string_view datagram) {
    ++received_;
    for (const std::string& out : answers_(datagram)) {
      boost::system::error_code ignored;  // the probe may be gone
      (elsewhere_ ? stranger_ : socket_).send_to(boost::asio::buffer(out), from_, 0, ignored);
    }
  }

  Udp::socket socket_;
  Udp::socket stranger_;
  Udp::endpoint from_;
  std::array<char, 65536> buffer_{};
  Answers answers_;
  bool elsewhere_ = false;
  unsigned received_ = 0;
};

/// Returns an address where no UDP socket is bound, most likely.
inline SocketAddress unused_udp_address(process::EventLoop& loop) { return UdpServer(loop, nullptr).at(); }

}  // namespace meshdns::probes
