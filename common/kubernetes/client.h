#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/kubernetes/server.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"
#include "common/resolve/resolver.h"
#include "common/time/time.h"

namespace meshdns::kubernetes {

/// The content type of a body that changes only the members that it names.
/// source: RFC 7386
inline constexpr std::string_view kMergePatch = "application/merge-patch+json";

/// A request to the API server.
struct Request {
  std::string method = "GET";
  std::string target;  // path and query
  std::string accept = "application/json";
  std::string body{};
  std::string content_type = "application/json";  // of the body
};

/// An answer of the API server, whatever its status.
struct Answer {
  int status = 0;
  std::string body;
  std::optional<Duration> retry_after;
};

/// Receives a body while it arrives.
struct StreamHandlers {
  /// The head of the answer has come, and its status is 200.
  std::function<void()> accepted;
  /// A part of the body. The next part is read when this has returned, and the server waits meanwhile.
  std::function<void(std::string_view)> bytes;
  /// The last call. An answer of status 200 has ended regularly; another answer has its body.
  std::function<void(Result<Answer>)> done;
};

/// A request that runs. Destroying or cancelling it ends the request: none of its callbacks is called afterwards. That
/// is allowed at any time, also in its callbacks and after the end of the client.
/// thread: the loop's
class Call {
 public:
  struct Exchange;

  Call() = default;
  Call(Call&& other) noexcept = default;
  Call& operator=(Call&& other) noexcept;
  ~Call() { cancel(); }

  void cancel();

 private:
  friend class Client;
  explicit Call(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}

  std::shared_ptr<Exchange> exchange_;
};

/// A client of the Kubernetes API: HTTP/1.1 over TLS, without a thread of its own. It checks the server's certificate
/// and name, sends the service account's token, and follows no redirect. A server that is named and not an address is
/// looked up in DNS for each connection; /etc/hosts is not read.
///
/// Unary calls share a connection that is kept alive; a call that finds it busy makes another one. Each stream has a
/// connection of its own. Nothing is sent twice, except a GET that finds the kept connection closed.
/// thread: the loop's
class Client {
 public:
  struct Limits {
    Duration connect = 10s;
    Duration handshake = 10s;
    Duration head = 10s;  // from the request to the end of the answer's head
    Duration body = 60s;  // from there to the end of a unary answer; a stream has no limit
    Duration idle = 30s;  // for which a connection is kept alive
    std::size_t longest_head = 64 * 1024;
    std::size_t longest_body = std::size_t{64} << 20;  // of a unary answer, and of a stream's other than 200
    std::size_t piece = 16 * 1024;                     // the most bytes of a part of a stream
  };

  /// loop, clock: must outlive the client
  Client(process::EventLoop& loop, const Clock& clock, const Server& server, const Limits& limits);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  /// Ends all calls without calling their callbacks.
  ~Client();

  /// Sends a request, and reads its whole answer.
  /// done: called exactly once, never before this function returns
  /// errors: Unavailable (no connection, the certificate is not accepted, the answer breaks off, a file of the server's
  ///         settings cannot be read), DeadlineExceeded, ResourceExhausted (the answer is too long), DataLoss (not
  ///         HTTP)
  Call send(Request request, std::function<void(Result<Answer>)> done);
  /// Like send(), for an answer that has no end in sight.
  Call stream(Request request, StreamHandlers handlers);
  /// Makes the next request read the token again: the server has refused it.
  void expire_token();
  /// Asks these DNS servers for the server's name, instead of those in /etc/resolv.conf.
  void set_name_servers(std::vector<SocketAddress> servers) { resolver_.set_servers(std::move(servers)); }

  /// The server's host and port.
  const std::string& server() const { return name_; }

 private:
  struct Core;

  const std::string name_;
  resolve::Resolver resolver_;
  std::shared_ptr<Core> core_;
};

}  // namespace meshdns::kubernetes
