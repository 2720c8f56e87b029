#include "common/http/streamed_get.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/process/asio_loop.h"

namespace meshdns::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::generic::stream_protocol;
using Parser = bhttp::response_parser<bhttp::buffer_body>;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

Error error_of(const boost::system::error_code& error, const std::string& step) {
  namespace errc = boost::system::errc;
  if (error == beast::error::timeout) return {Code::DeadlineExceeded, step + ": timeout"};
  if (error == bhttp::error::header_limit) return {Code::ResourceExhausted, step + ": the head is too long"};
  if (error == errc::too_many_files_open || error == errc::too_many_files_open_in_system) {
    return {Code::ResourceExhausted, step + ": out of file descriptors"};
  }
  const bool is_end =
      error == asio::error::eof || error == bhttp::error::end_of_stream || error == bhttp::error::partial_message;
  if (is_end) return {Code::Unavailable, step + ": the server closed the connection"};
  const bool is_http = error.category() == make_error_code(bhttp::error::bad_version).category();
  return {is_http ? Code::DataLoss : Code::Unavailable, step + ": " + ascii_lower(error.message())};
}

Error cancelled() { return {Code::Aborted, "cancelled"}; }

}  // namespace

/// The request, shared with the coroutine that makes it.
struct StreamedGet::Exchange {
  Exchange(asio::io_context& io, std::string socket, const std::string& target, const Limits& bounds, Handlers calls)
      : path(std::move(socket)),
        request("GET " + target +
                " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: meshdns\r\nAccept: application/json\r\n"
                "Connection: close\r\n\r\n"),
        limits(bounds),
        handlers(std::move(calls)),
        stream(io) {}

  static asio::awaitable<void> run(std::shared_ptr<Exchange> exchange);
  asio::awaitable<Result<void>> talk();
  asio::awaitable<Result<void>> read_body(Parser& parser);

  const std::string path;
  const std::string request;
  const Limits limits;
  const Handlers handlers;
  beast::basic_stream<stream_protocol> stream;
  beast::flat_buffer buffer;
  bool cancelled = false;
};

asio::awaitable<void> StreamedGet::Exchange::run(std::shared_ptr<Exchange> exchange) {
  co_await asio::post(exchange->stream.get_executor(),
                      asio::use_awaitable);  // no handler before the constructor returns
  if (exchange->cancelled) co_return;
  auto result = co_await exchange->talk();
  if (!exchange->cancelled) exchange->handlers.done(std::move(result));
}

asio::awaitable<Result<void>> StreamedGet::Exchange::talk() {
  if (limits.whole) stream.expires_after(*limits.whole);
  const stream_protocol::endpoint where = asio::local::stream_protocol::endpoint(path);
  const auto [not_connected] = co_await stream.async_connect(where, kUse);
  if (cancelled) co_return http::cancelled();
  if (not_connected) co_return error_of(not_connected, "connecting");
  const auto [not_sent, sent] = co_await asio::async_write(stream, asio::buffer(request), kUse);
  if (cancelled) co_return http::cancelled();
  if (not_sent) co_return error_of(not_sent, "sending");
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(limits.longest_head));
  parser.body_limit(boost::none);
  const auto [no_head, size] = co_await bhttp::async_read_header(stream, buffer, parser, kUse);
  if (cancelled) co_return http::cancelled();
  if (no_head) co_return error_of(no_head, "waiting for the answer");
  handlers.head(static_cast<int>(parser.get().result_int()));
  co_return co_await read_body(parser);
}

asio::awaitable<Result<void>> StreamedGet::Exchange::read_body(Parser& parser) {
  std::vector<char> part(limits.piece);
  while (!cancelled && !parser.is_done()) {
    auto& body = parser.get().body();
    body.data = part.data();
    body.size = part.size();
    const auto [error, count] = co_await bhttp::async_read_some(stream, buffer, parser, kUse);
    if (cancelled) break;
    const std::string_view taken(part.data(), part.size() - body.size);
    if (!taken.empty()) handlers.bytes(taken);
    if (error && error != bhttp::error::need_buffer) co_return error_of(error, "reading the answer");
  }
  if (cancelled) co_return http::cancelled();
  co_return Result<void>();
}

StreamedGet::StreamedGet(process::EventLoop& loop, const std::string& path, const std::string& target,
                         const Limits& limits, Handlers handlers)
    : exchange_(std::make_shared<Exchange>(process::io_context_of(loop), path, target, limits, std::move(handlers))) {
  // What a handler throws must not vanish in the coroutine.
  const auto end = [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  asio::co_spawn(process::io_context_of(loop), Exchange::run(exchange_), end);
}

StreamedGet::~StreamedGet() {
  exchange_->cancelled = true;
  exchange_->stream.close();
}

}  // namespace meshdns::http
