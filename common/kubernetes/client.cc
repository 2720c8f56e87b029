#include "common/kubernetes/client.h"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <exception>
#include <set>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/kubernetes/credentials.h"
#include "common/kubernetes/request_text.h"
#include "common/kubernetes/status_codes.h"
#include "common/kubernetes/tls.h"
#include "common/net/ip_address.h"
#include "common/process/asio_loop.h"

namespace meshdns::kubernetes {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Parser = http::response_parser<http::buffer_body>;
using Endpoints = std::vector<tcp::endpoint>;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

/// A connection to the server.
struct Connection {
  Connection(asio::io_context& io, std::shared_ptr<asio::ssl::context> context)
      : tls(std::move(context)), stream(io, *tls) {}

  beast::tcp_stream& tcp() { return stream.next_layer(); }
  /// Whether the server has neither closed the connection nor sent anything that nobody asked for.
  bool is_quiet() {
    char byte = 0;
    const ssize_t got = ::recv(tcp().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  std::shared_ptr<asio::ssl::context> tls;
  asio::ssl::stream<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
  TimePoint idle_since{};
};

Error error_of(const error_code& error, const std::string& step) {
  namespace errc = boost::system::errc;
  if (error == beast::error::timeout) return {Code::DeadlineExceeded, step + ": timeout"};
  if (error == http::error::header_limit) return {Code::ResourceExhausted, step + ": the head is too long"};
  if (error == errc::too_many_files_open || error == errc::too_many_files_open_in_system) {
    return {Code::ResourceExhausted, step + ": out of file descriptors"};
  }
  const bool is_end = error == asio::error::eof || error == asio::ssl::error::stream_truncated ||
                      error == http::error::end_of_stream || error == http::error::partial_message;
  if (is_end) return {Code::Unavailable, step + ": the server closed the connection"};
  const bool is_http = error.category() == make_error_code(http::error::bad_version).category();
  return {is_http ? Code::DataLoss : Code::Unavailable, step + ": " + ascii_lower(error.message())};
}

std::optional<Duration> retry_after(const Parser::value_type& head) {
  const auto value = head[http::field::retry_after];
  const auto seconds = parse_uint(trim({value.data(), value.size()}));
  if (!seconds || *seconds > 86400) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

asio::awaitable<Result<resolve::Answer>> resolved(resolve::Resolver& resolver, const std::string& name) {
  const auto begin = [&resolver, &name](auto handler) {
    const auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    resolver.resolve(name, [kept](Result<resolve::Answer> answer) { (*kept)(std::move(answer)); });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<resolve::Answer>)>(
      begin, asio::use_awaitable);
}

}  // namespace

/// A request that runs, and the connection that it uses.
struct Call::Exchange {
  Exchange(Request what, StreamHandlers calls) : request(std::move(what)), handlers(std::move(calls)) {}

  void cancel() {
    cancelled = true;
    if (const auto open = std::exchange(connection, nullptr)) open->tcp().close();
  }
  bool is_stream() const { return handlers.bytes != nullptr; }

  const Request request;
  const StreamHandlers handlers;
  std::shared_ptr<Connection> connection;  // to be closed when the call is cancelled
  bool cancelled = false;
  bool answered = false;  // the head of an answer has come
};

/// What the calls share. A call that runs keeps it alive, but uses nothing of the client once it is cancelled.
struct Client::Core {
  using Exchange = Call::Exchange;

  Core(process::EventLoop& loop, const Clock& real, Server where, Limits bounds, resolve::Resolver& names)
      : io(process::io_context_of(loop)),
        clock(real),
        server(std::move(where)),
        limits(bounds),
        resolver(names),
        credentials(server.ca_file, server.token_file) {}

  static asio::awaitable<void> run(std::shared_ptr<Core> core, std::shared_ptr<Exchange> exchange);
  asio::awaitable<Result<Answer>> answer(Exchange& exchange);
  asio::awaitable<Result<Answer>> talk(Exchange& exchange, std::shared_ptr<Connection> connection,
                                       const std::string& token);
  asio::awaitable<Result<Answer>> read(Exchange& exchange, std::shared_ptr<Connection> connection);
  asio::awaitable<Result<void>> read_body(Exchange& exchange, Connection& connection, Parser& parser, Answer& out);
  Result<void> take(Exchange& exchange, std::string_view part, Answer& out) const;
  asio::awaitable<Result<std::shared_ptr<Connection>>> open(Exchange& exchange, const std::string& ca);
  asio::awaitable<Result<Endpoints>> endpoints();
  Result<std::shared_ptr<asio::ssl::context>> context_for(const std::string& ca);
  std::shared_ptr<Connection> kept_connection(const std::string& ca);

  asio::io_context& io;
  const Clock& clock;
  const Server server;
  const Limits limits;
  resolve::Resolver& resolver;
  Credentials credentials;
  std::string ca;  // that `tls` trusts
  std::shared_ptr<asio::ssl::context> tls;
  std::shared_ptr<Connection> kept;
  std::set<Exchange*> running;
};

namespace {

/// Takes an exchange out of the set of those that run, when it has ended.
class Running {
 public:
  Running(std::set<Call::Exchange*>& set, Call::Exchange* exchange) : set_(set), exchange_(exchange) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { set_.erase(exchange_); }

 private:
  std::set<Call::Exchange*>& set_;
  Call::Exchange* const exchange_;
};

Error cancelled() { return {Code::Aborted, "cancelled"}; }

}  // namespace

/// Returns the connection that is kept alive, if it can still be used.
std::shared_ptr<Connection> Client::Core::kept_connection(const std::string& present) {
  auto out = std::exchange(kept, nullptr);
  if (out == nullptr || present != ca || clock.now() - out->idle_since >= limits.idle || !out->is_quiet())
    return nullptr;
  return out;
}

Result<std::shared_ptr<asio::ssl::context>> Client::Core::context_for(const std::string& present) {
  if (tls != nullptr && present == ca) return tls;
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  const auto trusted = trust(context->native_handle(), present);
  if (!trusted) return Error(Code::Unavailable, server.ca_file + ": " + trusted.error().message());
  ca = present;
  tls = std::move(context);
  return tls;
}

asio::awaitable<Result<Endpoints>> Client::Core::endpoints() {
  Endpoints out;
  if (IpAddress::parse(server.host)) {
    out.emplace_back(asio::ip::make_address(server.host), server.port);
    co_return out;
  }
  const auto found = co_await resolved(resolver, server.host);
  co_await asio::post(io, asio::use_awaitable);  // the resolver may be destroyed in what follows, but not in its call
  if (!found) co_return found.error().with_context("the name " + server.host);
  for (const IpAddress& address : found->addresses) {
    out.emplace_back(asio::ip::make_address(address.text()), server.port);
  }
  co_return out;
}

asio::awaitable<Result<std::shared_ptr<Connection>>> Client::Core::open(Exchange& exchange,
                                                                        const std::string& present) {
  const auto context = context_for(present);
  if (!context) co_return context.error();
  const auto where = co_await endpoints();
  if (exchange.cancelled) co_return cancelled();
  if (!where) co_return where.error();
  const auto connection = std::make_shared<Connection>(io, *context);
  exchange.connection = connection;
  connection->tcp().expires_after(limits.connect);
  const auto [no_connection, endpoint] = co_await connection->tcp().async_connect(*where, kUse);
  if (no_connection) co_return error_of(no_connection, "connecting");
  error_code ignored;
  connection->tcp().socket().set_option(tcp::no_delay(true), ignored);
  expect_host(connection->stream.native_handle(), server.host);
  connection->tcp().expires_after(limits.handshake);
  const auto [no_handshake] = co_await connection->stream.async_handshake(asio::ssl::stream_base::client, kUse);
  if (!no_handshake) co_return connection;
  const std::string problem = certificate_problem(connection->stream.native_handle());
  if (problem.empty()) co_return error_of(no_handshake, "TLS handshake");
  co_return Error(Code::Unavailable, "the certificate of the server is not accepted: " + problem);
}

asio::awaitable<void> Client::Core::run(std::shared_ptr<Core> core, std::shared_ptr<Exchange> exchange) {
  const Running here(core->running, exchange.get());
  co_await asio::post(core->io, asio::use_awaitable);  // nothing is called back before the caller has its Call
  if (exchange->cancelled) co_return;
  auto found = co_await core->answer(*exchange);
  exchange->connection = nullptr;  // it may be the kept one, which the Call must not close
  if (!exchange->cancelled) exchange->handlers.done(std::move(found));
}

asio::awaitable<Result<Answer>> Client::Core::answer(Exchange& exchange) {
  const auto present = credentials.get(clock.now());
  if (!present) co_return Error(Code::Unavailable, present.error().message());
  if (!exchange.is_stream()) exchange.connection = kept_connection(present->ca);
  if (exchange.connection != nullptr) {
    auto found = co_await talk(exchange, exchange.connection, present->token);
    // The server may have closed the connection at this very moment. Then only a GET can be sent once more.
    if (found || exchange.answered || exchange.cancelled || exchange.request.method != "GET") co_return found;
  }
  const auto opened = co_await open(exchange, present->ca);
  if (!opened) co_return opened.error();
  co_return co_await talk(exchange, *opened, present->token);
}

asio::awaitable<Result<Answer>> Client::Core::talk(Exchange& exchange, std::shared_ptr<Connection> connection,
                                                   const std::string& token) {
  const std::string text = request_text(exchange.request, server.authority(), token);
  connection->tcp().expires_after(limits.head);
  const auto [error, count] = co_await asio::async_write(connection->stream, asio::buffer(text), kUse);
  if (error) co_return error_of(error, "sending");
  co_return co_await read(exchange, connection);
}

asio::awaitable<Result<Answer>> Client::Core::read(Exchange& exchange, std::shared_ptr<Connection> connection) {
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.longest_head));
  parser.body_limit(boost::none);
  const auto [error, count] = co_await http::async_read_header(connection->stream, connection->buffer, parser, kUse);
  if (error) co_return error_of(error, "waiting for the answer");
  if (exchange.cancelled) co_return cancelled();
  exchange.answered = true;
  Answer out{static_cast<int>(parser.get().result_int()), {}, retry_after(parser.get())};
  if (exchange.is_stream() && out.status == kOk) {
    connection->tcp().expires_never();
    exchange.handlers.accepted();
  } else {
    connection->tcp().expires_after(limits.body);
  }
  const auto whole = co_await read_body(exchange, *connection, parser, out);
  if (!whole) co_return whole.error();
  if (parser.keep_alive() && connection->buffer.size() == 0 && !exchange.is_stream()) {
    connection->tcp().expires_never();
    connection->idle_since = clock.now();
    kept = connection;
  }
  co_return out;
}

asio::awaitable<Result<void>> Client::Core::read_body(Exchange& exchange, Connection& connection, Parser& parser,
                                                      Answer& out) {
  std::vector<char> part(limits.piece);
  while (!parser.is_done()) {
    if (exchange.cancelled) co_return cancelled();
    auto& body = parser.get().body();
    body.data = part.data();
    body.size = part.size();
    const auto [error, count] = co_await http::async_read_some(connection.stream, connection.buffer, parser, kUse);
    if (exchange.cancelled) co_return cancelled();
    const auto taken = take(exchange, {part.data(), part.size() - body.size}, out);
    if (!taken) co_return taken.error();
    if (error && error != http::error::need_buffer) co_return error_of(error, "reading the answer");
  }
  co_return Result<void>();
}

Result<void> Client::Core::take(Exchange& exchange, std::string_view part, Answer& out) const {
  if (part.empty()) return {};
  if (exchange.is_stream() && out.status == kOk) {
    exchange.handlers.bytes(part);
    return {};
  }
  if (out.body.size() + part.size() > limits.longest_body) {
    return Error(Code::ResourceExhausted,
                 "reading the answer: its body is longer than " + std::to_string(limits.longest_body) + " bytes");
  }
  out.body += part;
  return {};
}

Call& Call::operator=(Call&& other) noexcept {
  if (this != &other) {
    cancel();
    exchange_ = std::move(other.exchange_);
  }
  return *this;
}

void Call::cancel() {
  if (const auto ended = std::exchange(exchange_, nullptr)) ended->cancel();
}

Client::Client(process::EventLoop& loop, const Clock& clock, const Server& server, const Limits& limits)
    : name_(server.authority()),
      resolver_(loop, {}),
      core_(std::make_shared<Core>(loop, clock, server, limits, resolver_)) {}

Client::~Client() {
  for (Call::Exchange* exchange : core_->running) exchange->cancel();
  core_->kept = nullptr;
}

Call Client::send(Request request, std::function<void(Result<Answer>)> done) {
  return stream(std::move(request), {{}, {}, std::move(done)});
}

Call Client::stream(Request request, StreamHandlers handlers) {
  const auto exchange = std::make_shared<Call::Exchange>(std::move(request), std::move(handlers));
  core_->running.insert(exchange.get());
  // What a callback throws must not vanish in the coroutine.
  const auto end = [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(core_->io, Core::run(core_, exchange), end);
  return Call(exchange);
}

void Client::expire_token() { core_->credentials.expire(); }

}  // namespace meshdns::kubernetes
