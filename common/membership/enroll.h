#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "common/base/result.h"
#include "common/membership/member.h"

// Getting a certificate from a federation's own authority, and renewing it. The private key is made here and never
// leaves the machine.
namespace meshdns::membership {

/// Ends a call that another thread makes.
/// thread: any
class Cancellation {
 public:
  /// Ends the call that runs, and every later one at its start.
  void cancel();

  /// Calls `begin` unless cancelled, and `end` when the call is to end before its time.
  /// returns: false = cancelled before
  bool run(const std::function<void()>& begin, std::function<void()> end);

 private:
  std::mutex mutex_;
  bool cancelled_ = false;
  std::function<void()> end_;  // of the call that runs
};

/// Gets the first certificate with a token, given by its text. Makes the key if the file is missing; a second attempt
/// uses the same key, so that a token is not used up by an answer that got lost. Blocks for up to 10 s for each server.
/// unix_seconds: at which the server's certificate has to be valid
/// errors:       PermissionDenied: the token is refused; InvalidArgument: this is no token; Unavailable: no server
///               answers, or it is not the one that the token names; or a file cannot be written
Result<void> enroll(const Member& member, const std::string& token, std::int64_t unix_seconds);

/// Gets a certificate by the files of a pod, the first one as well as each later one. Blocks like enroll().
/// requires: member.pod
/// errors:   as for enroll(); Unavailable also if a file of the pod cannot be used
Result<void> enroll_pod(const Member& member, Cancellation& cancellation);

/// Replaces the certificate by a new one with the same key: over the certificate itself, or by the files of the pod, so
/// that the pod has to be alive. Blocks like enroll().
/// errors: as for enroll() and enroll_pod()
Result<void> renew(const Member& member, Cancellation& cancellation);

}  // namespace meshdns::membership
