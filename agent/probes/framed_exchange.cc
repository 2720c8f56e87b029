#include "agent/probes/framed_exchange.h"

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "agent/probes/failed_probe.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {

using boost::asio::ip::tcp;

struct FramedExchange::State : std::enable_shared_from_this<State> {
  using Failure = boost::system::error_code;
  using Step = void (State::*)();

  State(process::EventLoop& loop, std::string message, Done call)
      : socket(process::io_context_of(loop)), out(std::move(message)), done(std::move(call)) {
    const std::size_t size = out.size();
    out.insert(0, {static_cast<char>(size >> 8), static_cast<char>(size)});
  }

  /// Returns a handler that goes on with `step`, unless the last one failed or this is closed.
  auto then(Step step) {
    return [self = shared_from_this(), step](const Failure& error, std::size_t = 0) {
      if (!self->done) return;
      if (error) return self->fail(error);
      ((*self).*step)();
    };
  }

  void connect(const SocketAddress& where) {
    socket.async_connect({boost::asio::ip::make_address(where.ip.text()), where.port}, then(&State::write));
  }

  void write() {
    Failure ignored;
    // TCP's simultaneous open: see TcpProbe
    if (socket.local_endpoint(ignored) == socket.remote_endpoint(ignored)) {
      return fail(boost::asio::error::connection_refused);
    }
    boost::asio::async_write(socket, boost::asio::buffer(out), then(&State::read_length));
  }

  void read_length() { boost::asio::async_read(socket, boost::asio::buffer(length), then(&State::read_message)); }

  void read_message() {
    in.resize(static_cast<std::size_t>(length[0]) << 8 | length[1]);
    boost::asio::async_read(socket, boost::asio::buffer(in), then(&State::finish));
  }

  void finish() { end(Result<std::string>(std::move(in))); }

  void fail(const Failure& error) {
    if (error == boost::asio::error::eof) {
      return end(Error(Code::Unavailable, "connection closed before the answer"));
    }
    end(connect_error(error.value()));
  }

  void end(const Result<std::string>& result) {
    const Done call = close();
    if (call) call(result);
  }

  Done close() {
    Failure ignored;
    socket.set_option(tcp::socket::linger(true, 0), ignored);
    socket.close(ignored);
    return std::exchange(done, nullptr);
  }

  tcp::socket socket;
  std::string out;
  std::string in;
  std::array<unsigned char, 2> length{};
  Done done;
};

FramedExchange::FramedExchange(process::EventLoop& loop, const SocketAddress& where, std::string message, Done done)
    : state_(std::make_shared<State>(loop, std::move(message), std::move(done))) {
  state_->connect(where);
}

FramedExchange::~FramedExchange() { state_->close(); }

}  // namespace meshdns::probes
