#include "common/http/client.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <utility>

#include "common/http/answer_reader.h"
#include "common/http/request_text.h"
#include "common/process/asio_loop.h"

namespace meshdns::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::generic::stream_protocol;
using Stream = beast::basic_stream<stream_protocol>;
using Done = std::function<void(Result<Response>)>;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);

std::string text_of(const ClientRequest& request) {
  return request_text({.method = request.method,
                       .path = request.path,
                       .host = request.host.empty() ? request.address.text() : request.host,
                       .headers = request.headers,
                       .keeps_connection = false});
}

stream_protocol::endpoint endpoint_of(const ClientRequest& request) {
  if (!request.unix_path.empty()) return asio::local::stream_protocol::endpoint(request.unix_path);
  return asio::ip::tcp::endpoint(asio::ip::make_address(request.address.ip.text()), request.address.port);
}

Error error_of(const boost::system::error_code& error) {
  namespace errc = boost::system::errc;
  if (error == beast::error::timeout) return {Code::DeadlineExceeded, "timeout"};
  if (error == errc::connection_refused) return {Code::Unavailable, "connection refused"};
  if (error == errc::too_many_files_open || error == errc::too_many_files_open_in_system) {
    return {Code::ResourceExhausted, "out of file descriptors"};
  }
  std::string message = error.message();
  if (!message.empty()) message.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(message.front())));
  return {Code::Unavailable, message};
}

/// Whether the error means that the peer has closed the connection.
bool is_end(const boost::system::error_code& error) { return error == asio::error::eof; }

/// Reads one answer from a stream, or its head and the first 64 KiB of its body.
asio::awaitable<Result<Response>> read_answer(Stream& stream, bool head_only) {
  AnswerReader reader(head_only);
  std::array<char, 4096> buffer;
  while ((reader.state() == AnswerReader::State::Head || reader.state() == AnswerReader::State::Body) &&
         !reader.is_cut()) {
    const auto [error, count] = co_await stream.async_read_some(asio::buffer(buffer), kUse);
    if (error && !is_end(error)) co_return error_of(error);
    if (error) {
      reader.end();
      break;
    }
    reader.take({buffer.data(), count});
  }
  // A caller needs the status: wrong framing of the body is no error, but an answer that was cut off is.
  if (!reader.has_head() || reader.is_torn()) co_return Error{Code::DataLoss, reader.problem()};
  Response out;
  out.status = reader.head().status;
  out.content_type = std::string(reader.head().header("content-type"));
  out.body = reader.body();
  co_return out;
}

asio::awaitable<Result<Response>> exchange(asio::io_context& context, const ClientRequest& request, Duration timeout) {
  Stream stream(context);
  stream.expires_after(timeout);
  auto [connect_error] = co_await stream.async_connect(endpoint_of(request), kUse);
  if (connect_error) co_return error_of(connect_error);
  const std::string message = text_of(request);
  auto [write_error, written] = co_await asio::async_write(stream, asio::buffer(message), kUse);
  if (write_error) co_return error_of(write_error);
  co_return co_await read_answer(stream, request.method == "HEAD");
}

asio::awaitable<void> run(asio::io_context& context, ClientRequest request, Duration timeout, Done done) {
  done(co_await exchange(context, request, timeout));
}

}  // namespace

void get(process::EventLoop& loop, const ClientRequest& request, Duration timeout, Done callback) {
  auto& context = process::io_context_of(loop);
  asio::co_spawn(context, run(context, request, timeout, std::move(callback)), asio::detached);
}

}  // namespace meshdns::http
