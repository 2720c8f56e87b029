#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/server/dns_server.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Returns the name of a response code ("NOERROR", "SERVFAIL", ...), or its number if it has no name.
std::string rcode_text(std::uint8_t rcode);

/// Serves `meshdnsctl capture`: shows single queries to one operator at a time. The operator's client calls look()
/// again and again with the same id. A capture ends with a call that says `stop`, or when no call comes for kPatience.
/// thread: control
class CaptureSession {
 public:
  static constexpr Duration kLook = 250ms;   // how long one call collects queries
  static constexpr Duration kPatience = 2s;  // the longest pause between two calls

  using Done = std::function<void(Result<v1::CaptureReply>)>;

  CaptureSession(const Clock& clock, Timers& timers) : clock_(clock), timers_(timers) {}
  CaptureSession(const CaptureSession&) = delete;
  CaptureSession& operator=(const CaptureSession&) = delete;
  ~CaptureSession();

  /// Begins a capture or continues it.
  /// server: must outlive the capture; null = DNS is not served yet
  /// done:   called after kLook; at once for `stop` and for errors
  /// by:     the operator, for the log
  void look(const v1::CaptureRequest& request, const std::string& by, const server::DnsServer* server, Done done);

 private:
  Result<void> begin(const v1::CaptureRequest& request, const std::string& by, const server::DnsServer& server);
  v1::CaptureReply reply();
  void end();

  const Clock& clock_;
  Timers& timers_;
  const server::DnsServer* server_ = nullptr;  // null = no capture is under way
  std::string id_;
  TimePoint begun_{};
  std::int64_t begun_unix_ = 0;
  std::optional<TimerId> gathering_;
  std::optional<TimerId> patience_;
};

}  // namespace meshdns::dnsd::app
