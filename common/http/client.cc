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
#include <boost/beast/http.hpp>
#include <utility>

#include "common/http/answer_head.h"
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
constexpr std::size_t kMaxHead = 64 * 1024;
constexpr std::size_t kMaxBody = 64 * 1024;
constexpr std::size_t kMostInterim = 100;  // 1xx answers before the answer

stream_protocol::endpoint endpoint_of(const ClientRequest& request) {
  if (!request.unix_path.empty()) return asio::local::stream_protocol::endpoint(request.unix_path);
  return asio::ip::tcp::endpoint(asio::ip::make_address(request.address.ip.text()), request.address.port);
}

bhttp::request<bhttp::empty_body> message_of(const ClientRequest& request) {
  bhttp::request<bhttp::empty_body> out{bhttp::verb::get, request.path, 11};
  out.method_string(request.method);
  out.set(bhttp::field::host, request.host.empty() ? request.address.text() : request.host);
  out.set(bhttp::field::user_agent, "meshdns");
  out.set(bhttp::field::connection, "close");
  for (const auto& [name, value] : request.headers) out.set(name, value);
  if (request.method != "GET" && request.method != "HEAD") out.content_length(0);
  return out;
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

/// Reads one answer from a stream. `data_` holds the bytes that were read and not used yet.
class AnswerReader {
 public:
  explicit AnswerReader(Stream& stream) : stream_(stream) {}

  /// Returns the head of the answer, after skipping the interim ones.
  asio::awaitable<Result<AnswerHead>> head() {
    for (std::size_t interim = 0; interim < kMostInterim; ++interim) {
      std::size_t size = head_size(data_);
      while (size == 0) {
        if (data_.size() > kMaxHead) co_return not_http("its headers are longer than 64 KiB");
        const auto error = co_await read_some();
        if (error) co_return is_end(error) ? not_http("it ends in its headers") : error_of(error);
        size = head_size(data_);
      }
      const auto found = read_head(std::string_view(data_).substr(0, size));
      if (!found) co_return not_http("it begins with " + first_words());
      data_.erase(0, size);
      if (!found->is_interim()) co_return *found;
    }
    co_return not_http("it consists of interim answers");
  }

  /// Returns the body or its first 64 KiB. A longer body is not an error, because a probe only needs the status.
  asio::awaitable<Result<std::string>> body(const AnswerHead& head, bool head_only) {
    BodyReader reader(head, head_only);
    for (;;) {
      const auto state = reader.look(data_);
      // the framing of the body is wrong, but a probe only needs the status
      if (state != BodyReader::State::NeedsMore || data_.size() > kMaxBody) break;
      const auto error = co_await read_some();
      if (!error) continue;
      if (!is_end(error)) co_return error_of(error);
      if (reader.at_end() == BodyReader::State::Wrong) co_return not_http("it ends before its body does");
      break;
    }
    co_return reader.body().substr(0, kMaxBody);
  }

 private:
  static Error not_http(const std::string& why) { return {Code::DataLoss, "not an HTTP answer: " + why}; }

  std::string first_words() const {
    std::string out;
    for (const char c : std::string_view(data_).substr(0, 16)) out += c >= ' ' && c < 127 ? c : '.';
    return "\"" + out + "\"";
  }

  asio::awaitable<boost::system::error_code> read_some() {
    const std::size_t before = data_.size();
    data_.resize(before + 4096);
    const auto [error, count] = co_await stream_.async_read_some(asio::buffer(data_.data() + before, 4096), kUse);
    data_.resize(before + count);
    co_return error;
  }

  Stream& stream_;
  std::string data_;
};

asio::awaitable<Result<Response>> exchange(asio::io_context& context, const ClientRequest& request, Duration timeout) {
  Stream stream(context);
  stream.expires_after(timeout);
  auto [connect_error] = co_await stream.async_connect(endpoint_of(request), kUse);
  if (connect_error) co_return error_of(connect_error);
  const auto message = message_of(request);
  auto [write_error, written] = co_await bhttp::async_write(stream, message, kUse);
  if (write_error) co_return error_of(write_error);
  AnswerReader reader(stream);
  const auto head = co_await reader.head();
  if (!head) co_return head.error();
  auto body = co_await reader.body(*head, request.method == "HEAD");
  if (!body) co_return body.error();
  Response out;
  out.status = head->status;
  out.content_type = std::string(head->header("content-type"));
  out.body = std::move(*body);
  co_return out;
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
