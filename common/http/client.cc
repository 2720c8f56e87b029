#include "common/http/client.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <utility>

#include "common/process/asio_loop.h"

namespace meshdns::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using asio::generic::stream_protocol;
using Stream = beast::basic_stream<stream_protocol>;
using Done = std::function<void(Result<Response>)>;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kMaxBody = 64 * 1024;

stream_protocol::endpoint endpoint_of(const Target& target) {
  if (!target.unix_path.empty()) return asio::local::stream_protocol::endpoint(target.unix_path);
  return asio::ip::tcp::endpoint(asio::ip::make_address(target.address.ip.text()), target.address.port);
}

bhttp::request<bhttp::empty_body> request_of(const Target& target) {
  bhttp::request<bhttp::empty_body> out{bhttp::verb::get, target.path, 11};
  out.method_string(target.method);
  out.set(bhttp::field::host, target.host.empty() ? target.address.text() : target.host);
  out.set(bhttp::field::user_agent, "meshdns");
  out.set(bhttp::field::connection, "close");
  for (const auto& [name, value] : target.headers) out.set(name, value);
  if (target.method != "GET" && target.method != "HEAD") out.content_length(0);
  return out;
}

Error error_of(const boost::system::error_code& error) {
  namespace errc = boost::system::errc;
  if (error == beast::error::timeout) return {Code::DeadlineExceeded, "timeout"};
  if (error == errc::connection_refused) return {Code::Unavailable, "connection refused"};
  if (error == errc::too_many_files_open || error == errc::too_many_files_open_in_system) {
    return {Code::ResourceExhausted, "out of file descriptors"};
  }
  if (error.category() == bhttp::make_error_code(bhttp::error::bad_version).category()) {
    return {Code::DataLoss, "not an HTTP answer: " + error.message()};
  }
  std::string message = error.message();
  if (!message.empty()) message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
  return {Code::Unavailable, message};
}

asio::awaitable<Result<Response>> exchange(asio::io_context& context, const Target& target, Duration timeout) {
  Stream stream(context);
  stream.expires_after(timeout);
  auto [connect_error] = co_await stream.async_connect(endpoint_of(target), kUse);
  if (connect_error) co_return error_of(connect_error);
  const auto request = request_of(target);
  auto [write_error, written] = co_await bhttp::async_write(stream, request, kUse);
  if (write_error) co_return error_of(write_error);
  beast::flat_buffer buffer;
  bhttp::response_parser<bhttp::string_body> parser;
  parser.body_limit(kMaxBody);
  auto [read_error, read] = co_await bhttp::async_read(stream, buffer, parser, kUse);
  // A longer body than we keep is no failure: the header has been read and that is what a probe asks for.
  if (read_error && read_error != bhttp::error::body_limit) co_return error_of(read_error);
  Response out;
  out.status = static_cast<int>(parser.get().result_int());
  const auto type = parser.get()[bhttp::field::content_type];
  out.content_type.assign(type.data(), type.size());
  out.body = std::move(parser.get().body());
  co_return out;
}

asio::awaitable<void> run(asio::io_context& context, Target target, Duration timeout, Done done) {
  done(co_await exchange(context, target, timeout));
}

}  // namespace

void get(process::EventLoop& loop, const Target& target, Duration timeout, Done callback) {
  auto& context = process::io_context_of(loop);
  asio::co_spawn(context, run(context, target, timeout, std::move(callback)), asio::detached);
}

}  // namespace meshdns::http
