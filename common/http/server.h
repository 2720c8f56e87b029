#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/http/message.h"
#include "common/metrics/registry.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::http {

/// The counter of requests that are not answered, because they were meant for somebody else.
inline constexpr const char* kRefusedRequests = "meshdns_http_refused_requests_total";
inline constexpr const char* kRefusedHelp = "HTTP requests whose Host is no address and no name of this host";

struct ServerOptions {
  std::vector<std::string> hosts{};     // names of this host besides those that the system knows: HostNames
  metrics::Counter* refused = nullptr;  // of requests that name another host; outlives the server
};

/// A small HTTP/1.1 server on a daemon's loop: few requests, short answers, keep-alive, 10 s idle.
///
/// A request whose Host names somebody else is answered with 421 (HostNames); the log says so once a minute. What a
/// terminal would obey is escaped in each body (common/base/printable.h).
///
/// It has at most 64 connections, and an eighth of the descriptors that the process may open. A client beyond them
/// takes the place of the one that has waited longest without a request, else of the one that has not taken its answer
/// for longest. While no descriptor is to be had it pauses for 100 ms at a time; the log has a line when that begins
/// and when it is over. thread: everything on the loop's; stops when destroyed
class Server {
 public:
  /// Port 0 picks a free one.
  static Result<std::unique_ptr<Server>> listen(process::EventLoop& loop, const SocketAddress& address, Handler handler,
                                                ServerOptions options = {});
  /// For answers that take several turns of the loop; each connection waits for its own.
  static Result<std::unique_ptr<Server>> listen(process::EventLoop& loop, const SocketAddress& address,
                                                LateHandler handler, ServerOptions options = {});
  /// A unix socket with mode 0660; a stale one is replaced, one in use is AlreadyExists. No browser comes here: each
  /// Host is answered.
  static Result<std::unique_ptr<Server>> listen_unix(process::EventLoop& loop, const std::string& path,
                                                     Handler handler);
  ~Server();

  /// Where it listens; 0.0.0.0:0 for a unix socket.
  SocketAddress bound() const;

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::http
