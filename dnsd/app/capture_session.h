#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/server/dns_server.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::app {

/// "NOERROR", "SERVFAIL", ...; the number of a code without a name.
std::string rcode_text(std::uint8_t rcode);

/// One operator's look at single queries, at a time. It ends when it is told to, or when nobody looks any more.
/// thread: control
class CaptureSession {
 public:
  static constexpr Duration kLook = 250ms;  // how long a reply gathers
  static constexpr Duration kPatience = 2s;

  using Done = std::function<void(Result<v1::CaptureReply>)>;

  CaptureSession(const Clock& clock, Timers& timers) : clock_(clock), timers_(timers) {}
  CaptureSession(const CaptureSession&) = delete;
  CaptureSession& operator=(const CaptureSession&) = delete;
  ~CaptureSession();

  /// server: null = DNS is not served yet. It outlives this. done: told after kLook, of `stop` and errors at once
  /// by: who asks, for the log
  void look(const v1::CaptureRequest& request, const std::string& by, const server::DnsServer* server, Done done);

 private:
  Result<void> begin(const v1::CaptureRequest& request, const std::string& by, const server::DnsServer& server);
  v1::CaptureReply reply();
  void end();

  const Clock& clock_;
  Timers& timers_;
  const server::DnsServer* server_ = nullptr;  // while one is under way
  std::string id_;
  TimePoint begun_{};
  std::int64_t begun_unix_ = 0;
  std::optional<TimerId> gathering_;
  std::optional<TimerId> patience_;
};

}  // namespace meshdns::app
