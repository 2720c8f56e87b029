#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/net/socket_address.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {

/// A TCP server on loopback, on the loop of the test: it answers the first bytes of each connection, as they came.
class TcpServer {
 public:
  using Tcp = boost::asio::ip::tcp;
  struct Answer {
    enum class Then { Hold, Close, Reset };
    std::string bytes;
    Then then = Then::Hold;
  };
  /// Gets the first bytes; returns what the server does then.
  using Answers = std::function<Answer(std::string_view)>;

  /// port: 0 = any
  TcpServer(process::EventLoop& loop, Answers answers, std::uint16_t port = 0)
      : acceptor_(process::io_context_of(loop), {boost::asio::ip::address_v4::loopback(), port}),
        answers_(std::move(answers)) {
    accept();
  }

  SocketAddress at() const { return {IpAddress::v4(0x7F000001), acceptor_.local_endpoint().port()}; }
  unsigned accepted() const { return accepted_; }

 private:
  struct Connection {
    explicit Connection(Tcp::socket accepted) : socket(std::move(accepted)) {}
    Tcp::socket socket;
    std::array<char, 4096> buffer{};
    std::string out;
  };

  void accept() {
    acceptor_.async_accept([this](const auto& failed, Tcp::socket socket) {
      if (failed) return;
      ++accepted_;
      read(std::make_shared<Connection>(std::move(socket)));
      accept();
    });
  }

  void read(const std::shared_ptr<Connection>& connection) {
    connection->socket.async_read_some(boost::asio::buffer(connection->buffer), [answers = answers_, connection](
                                                                                    const auto& failed,
                                                                                    std::size_t size) {
      if (failed) return;
      const Answer answer = answers({connection->buffer.data(), size});
      connection->out = answer.bytes;
      boost::asio::async_write(connection->socket, boost::asio::buffer(connection->out),
                               [connection, then = answer.then](const auto&, std::size_t) { end(connection, then); });
    });
  }

  static void end(const std::shared_ptr<Connection>& connection, Answer::Then then) {
    if (then == Answer::Then::Reset) connection->socket.set_option(Tcp::socket::linger(true, 0));
    if (then != Answer::Then::Hold) return connection->socket.close();
    hold(connection);
  }

  /// Reads on until the other end closes.
  static void hold(const std::shared_ptr<Connection>& connection) {
    connection->socket.async_read_some(boost::asio::buffer(connection->buffer),
                                       [connection](const auto& failed, std::size_t) {
                                         if (!failed) hold(connection);
                                       });
  }

  Tcp::acceptor acceptor_;
  Answers answers_;
  unsigned accepted_ = 0;
};

}  // namespace meshdns::probes
