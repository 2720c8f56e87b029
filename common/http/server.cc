#include "common/http/server.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "common/net/port_holder.h"
#include "common/net/socket_address.h"
#include "common/net/unix_socket.h"
#include "common/process/asio_loop.h"

namespace meshdns::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::generic::stream_protocol;
using Stream = beast::basic_stream<stream_protocol>;
using Acceptor = asio::basic_socket_acceptor<stream_protocol>;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxConnections = 64;
constexpr std::size_t kMaxBody = 64 * 1024;

using Message = bhttp::response<bhttp::string_body>;

Message message_of(Response answer, const bhttp::request<bhttp::string_body>& request) {
  Message out{static_cast<bhttp::status>(answer.status), request.version()};
  out.set(bhttp::field::content_type, answer.content_type);
  for (const auto& [name, value] : answer.headers) out.set(name, value);
  out.keep_alive(request.keep_alive());
  out.body() = std::move(answer.body);
  out.prepare_payload();
  if (request.method() == bhttp::verb::head) out.body().clear();
  return out;
}

}  // namespace

struct Server::State {
  State(process::EventLoop& loop, LateHandler given)
      : acceptor(process::io_context_of(loop)), handler(std::move(given)) {}

  // A spawned coroutine runs later, when the server may be gone: it holds the state from the beginning.

  static asio::awaitable<void> accept_all(std::shared_ptr<State> self) {
    for (;;) {
      auto [error, socket] = co_await self->acceptor.async_accept(kUse);
      if (error == asio::error::operation_aborted || !self->acceptor.is_open()) co_return;
      if (error || self->connections >= kMaxConnections) continue;
      asio::co_spawn(self->acceptor.get_executor(), serve(self, Stream(std::move(socket))), asio::detached);
    }
  }

  static asio::awaitable<void> serve(std::shared_ptr<State> self, Stream stream) {
    ++self->connections;
    beast::flat_buffer buffer(kMaxBody + 16 * 1024);
    for (bool alive = true; alive && self->acceptor.is_open();) alive = co_await self->serve_one(stream, buffer);
    --self->connections;
  }

  asio::awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer) {
    bhttp::request_parser<bhttp::string_body> parser;
    parser.body_limit(kMaxBody);
    stream.expires_after(10s);
    const auto [read_error, read] = co_await bhttp::async_read(stream, buffer, parser, kUse);
    if (read_error) co_return false;
    const auto& request = parser.get();
    Request asked = parse_target(std::string_view(request.method_string().data(), request.method_string().size()),
                                 std::string_view(request.target().data(), request.target().size()));
    asked.body = request.body();
    Message answer = message_of(co_await answered(asked), request);
    stream.expires_after(10s);
    const auto [write_error, written] = co_await bhttp::async_write(stream, answer, kUse);
    co_return !write_error && answer.keep_alive();
  }

  /// Waits for the handler. The coroutine goes on in a turn of its own: the handler may answer while it is called.
  asio::awaitable<Response> answered(Request asked) {
    return asio::async_initiate<const asio::use_awaitable_t<>&, void(Response)>(
        [this, asked = std::move(asked)](auto resume) {
          const auto held = std::make_shared<decltype(resume)>(std::move(resume));
          handler(asked, [held, executor = acceptor.get_executor()](Response answer) {
            asio::post(executor, [held, answer = std::move(answer)]() mutable { (*held)(std::move(answer)); });
          });
        },
        asio::use_awaitable);
  }

  Acceptor acceptor;
  LateHandler handler;
  std::size_t connections = 0;
  std::string unlink_when_done;
};

namespace {

Result<void> open_on(Acceptor& acceptor, const stream_protocol::endpoint& where, const std::string& name) {
  boost::system::error_code error;
  acceptor.open(where.protocol(), error);
  if (!error && where.protocol().family() != AF_UNIX)
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(where, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) return {};
  const Code code = error == asio::error::address_in_use ? Code::AlreadyExists : Code::Unavailable;
  const auto address = SocketAddress::parse(name);
  const std::string holder = address ? held_by(error.value(), *address, Protocol::Tcp) : "";
  return Error(code, fmt::format("cannot listen on {}: {}{}", name, error.message(), holder));
}

}  // namespace

namespace {

LateHandler at_once(Handler handler) {
  return [handler = std::move(handler)](const Request& request, const std::function<void(Response)>& done) {
    done(handler(request));
  };
}

}  // namespace

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {
  asio::co_spawn(state_->acceptor.get_executor(), State::accept_all(state_), asio::detached);
}

Result<std::unique_ptr<Server>> Server::listen(process::EventLoop& loop, const SocketAddress& address,
                                               Handler handler) {
  return listen(loop, address, at_once(std::move(handler)));
}

Result<std::unique_ptr<Server>> Server::listen(process::EventLoop& loop, const SocketAddress& address,
                                               LateHandler handler) {
  auto state = std::make_shared<State>(loop, std::move(handler));
  const asio::ip::tcp::endpoint where(asio::ip::make_address(address.ip.text()), address.port);
  if (auto opened = open_on(state->acceptor, where, address.text()); !opened) return opened.error();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Result<std::unique_ptr<Server>> Server::listen_unix(process::EventLoop& loop, const std::string& path,
                                                    Handler handler) {
  if (auto freed = free_socket_path(path); !freed) return freed.error();
  auto state = std::make_shared<State>(loop, at_once(std::move(handler)));
  if (auto opened = open_on(state->acceptor, asio::local::stream_protocol::endpoint(path), path); !opened)
    return opened.error();
  ::chmod(path.c_str(), 0660);
  state->unlink_when_done = path;
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::~Server() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  if (!state_->unlink_when_done.empty()) ::unlink(state_->unlink_when_done.c_str());
}

SocketAddress Server::bound() const {
  boost::system::error_code error;
  const auto where = state_->acceptor.local_endpoint(error);
  if (error || where.protocol().family() == AF_UNIX) return {};
  asio::ip::tcp::endpoint tcp;
  tcp.resize(where.size());
  std::memcpy(tcp.data(), where.data(), where.size());
  const auto ip = IpAddress::parse(tcp.address().to_string());
  return {ip ? *ip : IpAddress(), tcp.port()};
}

}  // namespace meshdns::http
