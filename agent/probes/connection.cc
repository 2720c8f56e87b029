#include "agent/probes/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <utility>
#include <vector>

#include "agent/probes/failed_probe.h"
#include "common/net/kernel_address.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
using TlsStream = asio::ssl::stream<tcp::socket&>;

constexpr std::size_t kBuffer = 4096;  // bytes of one read

tcp::endpoint endpoint_of(const SocketAddress& address) {
  const auto where = KernelAddress::of(address);
  tcp::endpoint out(address.ip.is_v4() ? tcp::v4() : tcp::v6(), 0);
  std::memcpy(out.data(), where.get(), where.size);
  out.resize(where.size);
  return out;
}

/// Whether the peer has closed its side. Many servers do so without the alert close_notify of TLS.
bool is_end(const ErrorCode& error) { return error == asio::error::eof || error == asio::ssl::error::stream_truncated; }

Error error_of(const ErrorCode& error) {
  if (error.category() == asio::error::get_ssl_category()) {
    return {Code::Unavailable, "TLS: " + tls_reason(static_cast<unsigned long>(error.value()))};
  }
  return connect_error(error.value());
}

}  // namespace

struct Connection::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& loop, const SocketAddress& address, const std::optional<TlsOptions>& tls_options,
        TlsClient* tls_client)
      : socket(process::io_context_of(loop)), where(address), options(tls_options), client(tls_client) {}

  void on_connect(const ErrorCode& error, const Ready& ready) {
    if (closed) return;
    if (error) return ready(error_of(error));
    if (is_connected_to_itself()) return ready(connect_error(ECONNREFUSED));
    if (!options) return ready(std::nullopt);
    auto session = client->session(*options, where.ip);
    if (!session) return ready(session.error());
    tls.emplace(socket, session->release());
    tls->async_handshake(TlsStream::client, [self = shared_from_this(), ready](const ErrorCode& failed) {
      if (!self->closed) ready(failed ? std::optional(self->handshake_error(failed)) : std::nullopt);
    });
  }

  /// Whether the socket is connected to itself. If nobody listens on a local port of the ephemeral range, the kernel
  /// may choose that port for our side, and TCP's simultaneous open then succeeds (RFC 9293 3.5).
  bool is_connected_to_itself() const {
    ErrorCode ignored;
    return socket.local_endpoint(ignored) == endpoint_of(where);
  }

  Error handshake_error(const ErrorCode& error) {
    if (is_end(error)) return {Code::Unavailable, "TLS: the connection was closed in the handshake"};
    const std::string problem = certificate_problem(tls->native_handle());
    if (!problem.empty()) return {Code::Unavailable, "TLS: " + problem};
    const Error plain = error_of(error);
    return plain.message().starts_with("TLS: ") ? plain : plain.with_context("TLS");
  }

  void read_some() {
    const auto done = [self = shared_from_this()](const ErrorCode& error, std::size_t count) {
      self->on_read(error, count);
    };
    if (tls) {
      tls->async_read_some(asio::buffer(buffer), done);
    } else {
      socket.async_read_some(asio::buffer(buffer), done);
    }
  }

  void on_read(const ErrorCode& error, std::size_t count) {
    if (closed) return;
    if (error && !is_end(error)) return took(error_of(error));
    took(std::string_view(buffer.data(), error ? 0 : count));
    if (!error && !closed) read_some();
  }

  void close(bool reset) {
    if (std::exchange(closed, true)) return;
    ErrorCode ignored;
    if (reset) socket.set_option(asio::socket_base::linger(true, 0), ignored);
    socket.close(ignored);
  }

  tcp::socket socket;
  std::optional<TlsStream> tls;  // from the handshake on
  SocketAddress where;
  std::optional<TlsOptions> options;
  TlsClient* client;
  Took took;
  std::vector<char> buffer;  // from read() on
  std::string out;           // what is being written
  bool closed = false;
};

Connection::Connection(process::EventLoop& loop, const SocketAddress& where, const std::optional<TlsOptions>& options,
                       TlsClient* tls)
    : state_(std::make_shared<State>(loop, where, options, tls)) {}

Connection::~Connection() { close(); }

void Connection::open(Ready ready) {
  state_->socket.async_connect(
      endpoint_of(state_->where),
      [state = state_, ready = std::move(ready)](const ErrorCode& error) { state->on_connect(error, ready); });
}

void Connection::write(std::string bytes, Ready ready) {
  state_->out = std::move(bytes);
  const auto done = [state = state_, ready = std::move(ready)](const ErrorCode& error, std::size_t /*count*/) {
    if (!state->closed) ready(error ? std::optional(error_of(error)) : std::nullopt);
  };
  if (state_->tls) {
    asio::async_write(*state_->tls, asio::buffer(state_->out), done);
  } else {
    asio::async_write(state_->socket, asio::buffer(state_->out), done);
  }
}

void Connection::read(Took took) {
  state_->took = std::move(took);
  state_->buffer.resize(kBuffer);
  state_->read_some();
}

void Connection::close() { state_->close(true); }
void Connection::finish() { state_->close(false); }

Duration Connection::handshake_time() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  const int descriptor = state_->socket.native_handle();
  if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return Duration::zero();
  return std::chrono::microseconds(info.tcpi_rtt);
}

std::string Connection::certificate_note() const {
  if (!state_->tls) return "";
  const auto left = seconds_left(state_->tls->native_handle());
  return left ? probes::certificate_note(*left) : "";
}

}  // namespace meshdns::probes
