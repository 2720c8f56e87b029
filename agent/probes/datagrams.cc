#include "agent/probes/datagrams.h"

#include <array>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "agent/probes/failed_probe.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {

using boost::asio::ip::udp;

struct Datagrams::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& loop, const SocketAddress& address, Events call)
      : where(boost::asio::ip::make_address(address.ip.text()), address.port),
        socket(process::io_context_of(loop)),
        events(std::move(call)) {}

  boost::system::error_code open_and_send(std::string_view bytes) {
    boost::system::error_code error;
    socket.open(where.protocol(), error);
    if (!error) socket.non_blocking(true, error);
    if (!error) socket.connect(where, error);
    if (!error && is_connected_to_itself()) return boost::asio::error::connection_refused;
    if (!error) socket.send(boost::asio::buffer(bytes), 0, error);
    return error;
  }

  /// Whether the kernel has given this socket the very port that it sends to. That happens where nobody listens on a
  /// local port of the ephemeral range; the datagram would come back as its own answer.
  bool is_connected_to_itself() const {
    boost::system::error_code ignored;
    return socket.local_endpoint(ignored) == where;
  }

  void begin(std::string_view bytes) {
    const auto error = open_and_send(bytes);
    if (!error) return wait();
    boost::asio::post(socket.get_executor(), [self = shared_from_this(), error] { self->fail(error); });
  }

  void wait() {
    socket.async_wait(udp::socket::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) { self->read(error); });
  }

  void read(boost::system::error_code error) {
    if (closed) return;
    std::array<char, 65536> buffer;  // more than the longest datagram
    std::size_t size = 0;
    if (!error) size = socket.receive(boost::asio::buffer(buffer), 0, error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::interrupted) return wait();
    if (error) return fail(error);
    const auto call = events.received;  // it may destroy the owner of `events`
    call({buffer.data(), size});
    if (!closed) wait();
  }

  void fail(const boost::system::error_code& error) {
    if (closed) return;
    const auto call = std::exchange(events.failed, nullptr);
    if (call) call(connect_error(error.value()));
  }

  void close() {
    closed = true;
    events = {};
    boost::system::error_code ignored;
    socket.close(ignored);
  }

  udp::endpoint where;
  udp::socket socket;
  Events events;
  bool closed = false;
};

Datagrams::Datagrams(process::EventLoop& loop, const SocketAddress& where, Events events)
    : state_(std::make_shared<State>(loop, where, std::move(events))) {}

Datagrams::~Datagrams() { state_->close(); }

void Datagrams::send(std::string_view bytes) { state_->begin(bytes); }

}  // namespace meshdns::probes
