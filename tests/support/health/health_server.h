#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/net/socket_address.h"

namespace meshdns::test {

/// A gRPC server on loopback with the service grpc.health.v1.Health, with threads of gRPC's.
class HealthServer {
 public:
  enum class Status { Unknown = 0, Serving = 1, NotServing = 2 };
  /// What the server does with calls.
  enum class Mode {
    Works,
    Silent,        // never answers Check
    WithoutWatch,  // UNIMPLEMENTED
    EndsWatch,     // sends the status and ends the stream
    Forbids,       // PERMISSION_DENIED, with a text that must not reach a terminal
    GivesUp,       // UNAVAILABLE
  };
  struct Options {
    std::uint16_t port = 0;   // 0 = any
    std::string certificate;  // PEM; empty = plaintext
    std::string key;          // PEM
    std::string client_ca;    // PEM; set = a client needs a certificate of this authority
    bool has_health = true;   // the server has the service Health
  };

  HealthServer() : HealthServer(Options{}) {}
  /// requires: the port is free
  explicit HealthServer(const Options& options);
  /// Ends all calls and closes the port.
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  SocketAddress at() const;
  /// Sets the status of a service; "" = the server as a whole, which serves from the start.
  /// thread: any
  void set(const std::string& service, Status status);
  void set(Mode mode);
  /// The number of calls of Check, and of open streams of Watch.
  unsigned checks() const;
  unsigned watchers() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshdns::test
