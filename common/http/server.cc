#include "common/http/server.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
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
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <optional>
#include <utility>

#include "common/base/printable.h"
#include "common/http/access.h"
#include "common/log/log.h"
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
constexpr std::size_t kLeastConnections = 4;
constexpr std::size_t kShareOfDescriptors = 8;
constexpr auto kPause = std::chrono::milliseconds(100);    // until accept(2) is tried again
constexpr auto kQuiet = std::chrono::minutes(1);           // between two lines about requests that were refused
constexpr std::size_t kReadAhead = kMostBody + 16 * 1024;  // what is read of a connection before it is parsed
constexpr unsigned kHttp11 = 11;                           // HTTP/1.1, as Beast writes versions

using Message = bhttp::response<bhttp::string_body>;

/// Returns the most connections: a small share of the descriptors, because the rest is for the daemon's real work.
std::size_t most_connections() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kMaxConnections;
  return std::clamp<std::size_t>(limit.rlim_cur / kShareOfDescriptors, kLeastConnections, kMaxConnections);
}

/// Returns the body with terminal control characters escaped: names in it come from peers, and curl writes the body to
/// a terminal. In JSON the escape means the same character. In label values of metrics a backslash must be written
/// twice.
std::string printable_body(std::string body, std::string_view type) {
  if (printable_length(body, Lines::Many) == body.size()) return body;
  const bool metrics = type.starts_with("text/plain; version=");
  std::string out;
  for_printable(
      body, Lines::Many, [&out](std::string_view part) { out += part; },
      [&out, metrics](std::string_view, const PrintableEscape& escape) {
        (out += metrics ? "\\" : "") += escape.view();
      });
  return out;
}

/// Returns the address of one end of a connection; 0.0.0.0:0 for a unix socket.
SocketAddress address_of(const stream_protocol::endpoint& where) {
  if (where.protocol().family() != AF_INET && where.protocol().family() != AF_INET6) return {};
  asio::ip::tcp::endpoint tcp;
  tcp.resize(where.size());
  std::memcpy(tcp.data(), where.data(), where.size());
  asio::ip::address ip = tcp.address();
  if (ip.is_v6()) ip = asio::ip::address_v6(ip.to_v6().to_bytes());  // without the interface of a link-local address
  const auto parsed = IpAddress::parse(ip.to_string());
  return {parsed ? *parsed : IpAddress(), tcp.port()};
}

/// Returns the address of the connection's peer; 0.0.0.0 if the connection is gone already.
IpAddress peer_of(const Stream& stream) {
  boost::system::error_code error;
  const auto where = stream.socket().remote_endpoint(error);
  return error ? IpAddress() : address_of(where).ip;
}

Message message_of(Response answer, const bhttp::request<bhttp::string_body>& request) {
  Message out{static_cast<bhttp::status>(answer.status), request.version()};
  out.set(bhttp::field::content_type, answer.content_type);
  for (const auto& [name, value] : answer.headers) out.set(name, value);
  out.keep_alive(request.keep_alive());
  out.body() = printable_body(std::move(answer.body), answer.content_type);
  out.prepare_payload();
  if (request.method() == bhttp::verb::head) out.body().clear();
  return out;
}

/// Counts a connection as long as it is served, even if that ends by an exception.
class Counted {
 public:
  explicit Counted(std::size_t& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::size_t& count_;
};

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(process::EventLoop& loop, std::string own_name, LateHandler given)
      : acceptor(process::io_context_of(loop)),
        pause(process::io_context_of(loop)),
        quiet(process::io_context_of(loop)),
        name(std::move(own_name)),
        handler(std::move(given)) {}

  // These coroutines take a shared pointer by value: they may run after the server is gone.

  static asio::awaitable<void> accept_all(std::shared_ptr<State> self) {
    for (;;) {
      auto [error, socket] = co_await self->acceptor.async_accept(kUse);
      if (error == asio::error::operation_aborted || !self->acceptor.is_open()) co_return;
      self->tell(error);
      if (error) {
        // the connection that could not be taken still waits: without a pause this would spin
        self->pause.expires_after(kPause);
        co_await self->pause.async_wait(kUse);
        if (!self->acceptor.is_open()) co_return;
        continue;
      }
      self->make_room();
      asio::co_spawn(self->acceptor.get_executor(), serve(self, Stream(std::move(socket))), asio::detached);
    }
  }

  /// Logs when accept(2) begins and ceases to fail. A client that gave up before it was accepted is not a failure.
  void tell(const boost::system::error_code& error) {
    namespace errc = boost::system::errc;
    if (error == errc::connection_aborted || error == errc::protocol_error) return;
    if (error && !std::exchange(failing, true)) {
      log::warn("cannot accept connections", {{"address", name}, {"error", error.message()}});
    }
    if (!error && std::exchange(failing, false)) log::info("connections are accepted again", {{"address", name}});
  }

  /// Ends one connection if the limit is reached: the one that has waited longest for a request, otherwise the one
  /// whose peer has not read its answer for longest.
  void make_room() {
    if (connections < most) return;
    for (std::list<Stream*>* idle : {&waiting, &writing}) {
      if (idle->empty()) continue;
      Stream* longest = idle->front();
      idle->pop_front();
      return longest->cancel();
    }
  }

  /// Counts a refused request, and logs it at most once a minute, because a page in a browser can send many.
  void note_refused(const Visit& visit, const Refusal& refusal) {
    if (refused != nullptr) refused->add();
    if (std::exchange(told, true)) return;
    log::warn("HTTP request refused",
              {{"address", name}, {"peer", visit.peer.text()}, {"path", visit.path}, {"reason", refusal.why}});
    quiet.expires_after(kQuiet);
    quiet.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (self && !error) self->told = false;
    });
  }

  /// Returns why the request is not answered; nothing = it is.
  std::optional<Refusal> refuse(const Stream& stream, const bhttp::request<bhttp::string_body>& request,
                                const std::string& path) {
    if (!access) return std::nullopt;
    Visit visit{peer_of(stream), path, {}, request.version() >= kHttp11};
    const auto [first, last] = request.equal_range(bhttp::field::host);
    for (auto at = first; at != last; ++at) visit.hosts.emplace_back(at->value().data(), at->value().size());
    auto out = access->refuse(visit);
    if (out) note_refused(visit, *out);
    return out;
  }

  static asio::awaitable<void> serve(std::shared_ptr<State> self, Stream stream) {
    if (self->connections >= self->most + kLeastConnections) co_return;  // all are being answered
    const Counted counted(self->connections);
    beast::flat_buffer buffer(kReadAhead);
    for (bool alive = true; alive && self->acceptor.is_open();) alive = co_await self->serve_one(stream, buffer);
  }

  asio::awaitable<bool> serve_one(Stream& stream, beast::flat_buffer& buffer) {
    bhttp::request_parser<bhttp::string_body> parser;
    parser.body_limit(most_body);
    stream.expires_after(10s);
    waiting.push_back(&stream);
    const auto [read_error, read] = co_await bhttp::async_read(stream, buffer, parser, kUse);
    std::erase(waiting, &stream);
    const bool too_long = read_error == bhttp::error::body_limit;
    if (read_error && !too_long) co_return false;
    const auto& request = parser.get();
    Request asked = asked_by(request);
    const auto refusal = refuse(stream, request, asked.path);
    Response response;
    if (too_long) {
      response = Response{.status = 413, .body = fmt::format("the body is longer than {} bytes\n", most_body)};
    } else if (refusal) {
      response = Response{.status = refusal->status, .body = refusal->why + "\n"};
    } else {
      response = co_await answered(std::move(asked));
    }
    Message answer = message_of(std::move(response), request);
    stream.expires_after(10s);
    writing.push_back(&stream);
    const auto [write_error, written] = co_await bhttp::async_write(stream, answer, kUse);
    std::erase(writing, &stream);
    co_return !write_error && !too_long && answer.keep_alive();
  }

  static Request asked_by(const bhttp::request<bhttp::string_body>& request) {
    Request asked = parse_target(std::string_view(request.method_string().data(), request.method_string().size()),
                                 std::string_view(request.target().data(), request.target().size()));
    asked.body = request.body();
    return asked;
  }

  /// Waits for the handler's answer. The coroutine is resumed by a post, because the handler may call `done` before it
  /// returns, when the coroutine is not suspended yet.
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
  asio::steady_timer pause;
  asio::steady_timer quiet;  // while it runs, refused requests are not logged
  const std::string name;
  LateHandler handler;
  const std::size_t most = most_connections();
  std::size_t most_body = kMostBody;
  std::size_t connections = 0;
  std::list<Stream*> waiting;  // connections that wait for a request, the longest wait first
  std::list<Stream*> writing;  // connections that write an answer, the longest write first
  bool told = false;
  std::optional<Access> access;         // nothing = every request is answered
  metrics::Counter* refused = nullptr;  // may be null
  bool failing = false;
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

Result<std::unique_ptr<Server>> Server::listen(process::EventLoop& loop, const SocketAddress& address, Handler handler,
                                               ServerOptions options) {
  return listen(loop, address, at_once(std::move(handler)), std::move(options));
}

Result<std::unique_ptr<Server>> Server::listen(process::EventLoop& loop, const SocketAddress& address,
                                               LateHandler handler, ServerOptions options) {
  auto state = std::make_shared<State>(loop, address.text(), std::move(handler));
  state->access.emplace(Access::Settings{address.ip, std::move(options.hosts), std::move(options.public_parts)});
  state->refused = options.refused;
  state->most_body = options.most_body;
  auto ip = asio::ip::make_address(address.ip.text());
  if (address.interface != 0) {
    auto scoped = ip.to_v6();
    scoped.scope_id(address.interface);
    ip = scoped;
  }
  const asio::ip::tcp::endpoint where(ip, address.port);
  if (auto opened = open_on(state->acceptor, where, address.text()); !opened) return opened.error();
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Result<std::unique_ptr<Server>> Server::listen_unix(process::EventLoop& loop, const std::string& path,
                                                    Handler handler) {
  return listen_unix(loop, path, at_once(std::move(handler)), {});
}

Result<std::unique_ptr<Server>> Server::listen_unix(process::EventLoop& loop, const std::string& path,
                                                    LateHandler handler, const ServerOptions& options) {
  if (auto freed = free_socket_path(path); !freed) return freed.error();
  auto state = std::make_shared<State>(loop, path, std::move(handler));
  state->most_body = options.most_body;
  if (auto opened = open_on(state->acceptor, asio::local::stream_protocol::endpoint(path), path); !opened)
    return opened.error();
  ::chmod(path.c_str(), 0660);
  state->unlink_when_done = path;
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::~Server() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
  state_->quiet.cancel();
  if (!state_->unlink_when_done.empty()) ::unlink(state_->unlink_when_done.c_str());
}

SocketAddress Server::bound() const {
  boost::system::error_code error;
  const auto where = state_->acceptor.local_endpoint(error);
  return error ? SocketAddress() : address_of(where);
}

}  // namespace meshdns::http
