#pragma once

#include <memory>

#include "common/membership/enroll.h"
#include "common/process/event_loop.h"

namespace meshdns::membership {

/// Renews a certificate while a daemon runs, over the certificate itself. gRPC gets the new one from TlsWatch.
///
/// How it works: every kLook, or more often if the certificate lives for minutes only, it reads from the certificate
/// whether its time has come. The call blocks, so a thread of its own makes it, and the end of this ends the call. A
/// pod renews its certificate also when the authority that is mounted into it has changed: the answer brings the new
/// authority, which the session with the federation needs.
/// thread: the loop's
class Renewal {
 public:
  static constexpr Duration kLook = 60s;

  /// `loop` and `clock` must outlive this.
  Renewal(process::EventLoop& loop, const Clock& clock, Member member);
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;
  ~Renewal();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::membership
