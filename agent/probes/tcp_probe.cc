#include "agent/probes/tcp_probe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <utility>

#include "agent/probes/failed_probe.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {

using boost::asio::ip::tcp;

struct TcpProbe::Attempt {
  Attempt(process::EventLoop& l, const SocketAddress& a, Duration t, Done d)
      : loop(l), address(a), timeout(t), done(std::move(d)), socket(process::io_context_of(l)) {}

  /// Ends the attempt with a result. Connecting, the timer and the destructor race for this; the later ones find `done`
  /// empty and do nothing.
  void finish(const health::ProbeResult& result) {
    if (Done call = stop()) call(result);
  }

  Done stop() {
    loop.cancel(timer);
    boost::system::error_code ignored;
    socket.close(ignored);
    return std::exchange(done, nullptr);
  }

  void on_connect(const boost::system::error_code& error) {
    if (!done) return;
    if (error) return fail(connect_error(error.value()));
    if (is_connected_to_itself()) return fail(connect_error(ECONNREFUSED));
    finish({.outcome = health::Outcome::Success, .rtt = handshake_time()});
  }

  void fail(const Error& error) { finish(failed_probe(error, timeout, has_route(address))); }

  /// Whether the socket is connected to itself. If nobody listens on a local port of the ephemeral range, the kernel
  /// may choose that port for our side, and TCP's simultaneous open then succeeds (RFC 9293 3.5).
  bool is_connected_to_itself() const {
    boost::system::error_code ignored;
    return socket.local_endpoint(ignored) == socket.remote_endpoint(ignored);
  }

  /// Returns the time from SYN to SYN-ACK as the kernel measured it, which does not contain the agent's own delays.
  Duration handshake_time() {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Duration::zero();
    return std::chrono::microseconds(info.tcpi_rtt);
  }

  process::EventLoop& loop;
  SocketAddress address;
  Duration timeout;
  Done done;
  tcp::socket socket;
  TimerId timer = 0;
};

TcpProbe::TcpProbe(process::EventLoop& loop, SocketAddress address, TcpCheck check)
    : loop_(loop), address_(address), check_(std::move(check)) {}

TcpProbe::~TcpProbe() {
  if (attempt_) attempt_->stop();
}

void TcpProbe::run(Duration timeout, Done done) {
  if (attempt_) attempt_->stop();
  attempt_ = std::make_shared<Attempt>(loop_, address_, timeout, std::move(done));
  attempt_->timer = loop_.after(timeout, [attempt = attempt_] { attempt->fail(connect_error(ETIMEDOUT)); });
  const tcp::endpoint to(boost::asio::ip::make_address(address_.ip.text()), address_.port);
  attempt_->socket.async_connect(
      to, [attempt = attempt_](const boost::system::error_code& error) { attempt->on_connect(error); });
}

}  // namespace meshdns::probes
