#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "agent/probes/tls_client.h"
#include "common/base/pattern.h"
#include "common/http/answer_reader.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

class Connection;

/// Sends one HTTP request, over TLS if the check says so, and judges the answer. Follows no redirects.
///
/// How it works: the status decides as soon as it is there, or the body when it is whole or 64 KiB of it have come. The
/// rest of a body is read after that. The connection is then kept for the next check, if the server keeps it too and
/// the method is idempotent. An idle connection is read as well, so that its end is noticed at once. The server may
/// close it in the moment in which the next request is sent; the request is then sent once more, on a new connection.
///
/// A kept connection does not show whether the server accepts new ones. So a connection serves kMostUses checks, and
/// none after reconnect().
class HttpProbe : public Probe {
 public:
  static constexpr unsigned kMostUses = 10;

  /// loop and tls must outlive the probe.
  /// tls:      needed only if the check has TLS
  /// requires: the check's regex is valid
  HttpProbe(process::EventLoop& loop, const SocketAddress& where, HttpCheck check, TlsClient* tls = nullptr);
  ~HttpProbe() override;

  /// Starts a check. If one is running, the new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;
  void reconnect() override;

 private:
  bool is_idle() const;
  void connect();
  void send();
  void on_bytes(const Result<std::string_view>& bytes);
  void on_end(const std::optional<Error>& error);
  void judge();
  std::optional<std::string> complaint() const;
  void settle();
  void fail(const Error& error);
  void finish(health::ProbeResult result);
  void stop();

  process::EventLoop& loop_;
  SocketAddress where_;
  HttpCheck check_;
  TlsClient* tls_;
  std::optional<Pattern> pattern_;
  bool keeps_;
  std::string request_;
  std::unique_ptr<Connection> connection_;
  std::optional<http::AnswerReader> reader_;  // of the last request on connection_
  unsigned uses_ = 0;                         // requests on connection_
  std::string note_;                          // about the certificate of connection_
  Duration timeout_{};
  TimerId timer_ = 0;
  Done done_;  // empty = no check is running
};

}  // namespace meshdns::probes
