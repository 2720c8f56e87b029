#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns::rpc {

/// A listening stream socket for a server whose peers hold their connections for long, non-blocking. The connections
/// that accept(2) returns inherit its options: no delay of small messages, and a peer whose link fell silent is found
/// by the kernel within kSilence: by keepalive probes where nothing is under way, by TCP_USER_TIMEOUT where something
/// is.
class ListeningSocket {
 public:
  static constexpr int kSilence = 14;       // seconds until a connection without a sign of life ends
  static constexpr int kFirstProbe = 8;     // seconds without a byte
  static constexpr int kProbeInterval = 3;  // seconds

  /// address: "127.0.0.1:7400", "[::1]:0" or "unix:/path"; 0.0.0.0 takes IPv6 too, as gRPC's own servers do
  /// errors: the address cannot be bound, or another process serves at the path
  static Result<ListeningSocket> open(const std::string& address);
  ListeningSocket(ListeningSocket&& other) noexcept;
  ListeningSocket& operator=(ListeningSocket&& other) noexcept;
  /// Closes the socket, and removes its path.
  ~ListeningSocket();

  int descriptor() const { return descriptor_; }
  /// The address with the real port.
  const std::string& bound() const { return bound_; }

 private:
  ListeningSocket(int descriptor, std::string bound) : descriptor_(descriptor), bound_(std::move(bound)) {}

  int descriptor_ = -1;
  std::string bound_;
};

}  // namespace meshdns::rpc
