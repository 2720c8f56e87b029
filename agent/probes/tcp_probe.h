#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "agent/probes/tls_client.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

class Connection;

/// Opens a TCP connection, makes the handshake of TLS, sends bytes and waits for bytes, as far as the check says; then
/// closes the connection with RST (Connection::close()). The destructor ends a running attempt.
class TcpProbe : public Probe {
 public:
  /// loop and tls must outlive the probe.
  /// tls: needed only if the check has TLS
  TcpProbe(process::EventLoop& loop, SocketAddress address, TcpCheck check = {}, TlsClient* tls = nullptr);
  ~TcpProbe() override;

  /// Starts a check. If one is running, the new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;

 private:
  void send();
  void on_bytes(const Result<std::string_view>& bytes);
  void succeed();
  void fail(const Error& error);
  void finish(const health::ProbeResult& result);
  Done stop();

  process::EventLoop& loop_;
  SocketAddress address_;
  TcpCheck check_;
  TlsClient* tls_;
  std::unique_ptr<Connection> connection_;  // of the running attempt
  std::string got_;                         // what has come, of an attempt that expects something
  Duration timeout_{};
  TimerId timer_ = 0;
  Done done_;  // empty = no attempt is running
};

}  // namespace meshdns::probes
