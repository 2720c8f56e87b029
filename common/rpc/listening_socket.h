#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns::rpc {

/// A non-blocking listening stream socket, for a server whose peers keep their connections for long. Connections that
/// accept(2) returns inherit its options: small messages are sent without delay (TCP_NODELAY), and the kernel ends a
/// connection whose peer was silent for kSilence, by keepalive probes if no data is in flight and by TCP_USER_TIMEOUT
/// if some is.
class ListeningSocket {
 public:
  static constexpr int kSilence = 14;       // seconds until a connection without a sign of life ends
  static constexpr int kFirstProbe = 8;     // seconds without a byte until the first keepalive probe
  static constexpr int kProbeInterval = 3;  // seconds between probes

  /// Binds an address and listens there.
  /// address: "127.0.0.1:7400", "[::1]:0" or "unix:/path"; 0.0.0.0 takes IPv6 too, as gRPC's own servers do
  /// errors: the address cannot be bound, or another process serves at the path
  static Result<ListeningSocket> open(const std::string& address);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  /// Closes the socket, and removes the path of a unix socket.
  ~ListeningSocket();

  int descriptor() const { return descriptor_; }
  /// The bound address, with the port that the kernel chose if port 0 was asked for.
  const std::string& bound() const { return bound_; }

 private:
  ListeningSocket(int descriptor, std::string bound) : descriptor_(descriptor), bound_(std::move(bound)) {}

  int descriptor_ = -1;
  std::string bound_;
};

}  // namespace meshdns::rpc
