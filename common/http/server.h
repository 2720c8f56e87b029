#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/http/message.h"
#include "common/metrics/registry.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::http {

/// Name and help of the counter of requests that Access refuses.
inline constexpr const char* kRefusedRequests = "meshdns_http_refused_requests_total";
inline constexpr const char* kRefusedHelp =
    "HTTP requests refused because of their Host, or because of where they come from";

/// The longest body of a request, in bytes, unless the settings say otherwise.
inline constexpr std::size_t kMostBody = std::size_t{64} << 10;

/// The settings of a Server.
struct ServerOptions {
  std::vector<std::string> hosts{};         // more names of this host, see HostNames
  std::vector<std::string> public_parts{};  // what peers beyond loopback get, see Access
  metrics::Counter* refused = nullptr;      // counts the requests that Access refuses; must outlive the server
  std::size_t most_body = kMostBody;        // of a request; a longer one is answered with 413
};

/// A small HTTP/1.1 server on a daemon's loop, for status, metrics and admin calls: few requests, short answers,
/// keep-alive for 10 s.
///
/// A request that Access refuses is answered with 403 or 400 and the reason, and logged once a minute. Terminal control
/// characters are escaped in each body (common/base/printable.h), because people look at it with curl.
///
/// The server has at most 64 connections, and at most an eighth of the descriptors that the process may open. A new
/// client over this limit takes the place of the connection that has waited longest for a request, otherwise of the one
/// that has waited longest for its peer to read the answer. While no descriptor is free, accepting pauses for 100 ms at
/// a time; the log has a line when that begins and when it ends.
///
/// The destructor stops the server.
/// thread: the loop's
class Server {
 public:
  /// Listens at an address; port 0 takes a free port. `loop` must outlive the server.
  static Result<std::unique_ptr<Server>> listen(process::EventLoop& loop, const SocketAddress& address, Handler handler,
                                                ServerOptions options = {});
  /// Like the other listen(), for answers that take several turns of the loop. Only the connection that asked waits.
  static Result<std::unique_ptr<Server>> listen(process::EventLoop& loop, const SocketAddress& address,
                                                LateHandler handler, ServerOptions options = {});
  /// Listens at a unix socket with mode 0660, and replaces a stale socket. Access does not count here, because no
  /// browser can connect.
  /// errors: AlreadyExists: another process serves there
  static Result<std::unique_ptr<Server>> listen_unix(process::EventLoop& loop, const std::string& path,
                                                     Handler handler);
  /// Like the other listen_unix(), for answers that take several turns of the loop. Of the options, only most_body
  /// counts.
  static Result<std::unique_ptr<Server>> listen_unix(process::EventLoop& loop, const std::string& path,
                                                     LateHandler handler, const ServerOptions& options);
  ~Server();

  /// The address at which the server listens; 0.0.0.0:0 for a unix socket.
  SocketAddress bound() const;

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::http
