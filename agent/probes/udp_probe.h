#pragma once

#include <memory>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// The time that a check without `expect` waits for a refusal. A host in the same network refuses within milliseconds.
inline constexpr Duration kLongestSilence = 200ms;

/// Sends one datagram and judges the first answer. A check without `expect` succeeds when anything comes back, and also
/// when nothing has come back after kLongestSilence or the timeout, whichever is shorter: UDP has no handshake, so only
/// a refusal by ICMP proves anything. `loop` must outlive the probe.
class UdpProbe : public Probe {
 public:
  UdpProbe(process::EventLoop& loop, const SocketAddress& where, UdpCheck check);
  ~UdpProbe() override;

  /// Starts a check. If one is running, the new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;

 private:
  class Attempt;
  process::EventLoop& loop_;
  SocketAddress where_;
  UdpCheck check_;
  std::unique_ptr<Attempt> attempt_;
};

}  // namespace meshdns::probes
