#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/probes/check.h"
#include "agent/probes/tls_client.h"
#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// One connection of a check to a server: TCP, and TLS on it if that is wanted. Has no timeout: its user does.
/// thread: the loop's. All callbacks come from the loop, never from within a call, and none after the destructor or
///         close(); a callback may destroy the connection
class Connection {
 public:
  /// Gets why an operation has failed; nothing = it has succeeded.
  using Ready = std::function<void(const std::optional<Error>&)>;
  /// Gets bytes that have come; empty = the peer has closed its side; an error ends the connection. The view is valid
  /// during the call.
  using Took = std::function<void(const Result<std::string_view>&)>;

  /// loop and tls must outlive the connection.
  /// options: nothing = no TLS
  /// tls:     needed for TLS only
  Connection(process::EventLoop& loop, const SocketAddress& where, const std::optional<TlsOptions>& options,
             TlsClient* tls);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects, and makes the handshake of TLS. Called once.
  /// errors: those of connect_error(); Unavailable "TLS: why"; FailedPrecondition: see TlsClient::session()
  void open(Ready ready);
  /// Sends bytes; one write at a time.
  void write(std::string bytes, Ready ready);
  /// Reads from now on, until the peer closes its side or an error. Called once, after open() has succeeded.
  void read(Took took);

  /// Closes the connection with RST, as the destructor does.
  ///
  /// Whoever closes first keeps the connection in TIME_WAIT for a minute (RFC 9293 3.6.1), and the agent does: it is
  /// done before the server is. 10,000 checks every 5 s would be 120,000 such sockets, more than one server's port has
  /// free ports on our side, and connecting would begin to fail. With SO_LINGER 0 the kernel sends RST and forgets the
  /// connection at once. The server notices no more than a client that went away.
  void close();
  /// Closes a connection on which nothing is to come, with FIN. Such connections do not pile up: they were kept for
  /// many checks.
  void finish();

  /// Returns the time from SYN to SYN-ACK as the kernel measured it, which does not contain the agent's own delays; 0 =
  /// unknown.
  Duration handshake_time() const;
  /// Returns certificate_note() of the server's certificate; empty without TLS.
  std::string certificate_note() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
