#pragma once

#include <memory>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Opens a TCP connection and closes it again. The destructor ends a running attempt. `loop` must outlive the probe.
class TcpProbe : public Probe {
 public:
  TcpProbe(process::EventLoop& loop, SocketAddress address, TcpCheck check = {});
  ~TcpProbe() override;

  /// Starts a check. If one is running, the new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;

 private:
  struct Attempt;
  process::EventLoop& loop_;
  SocketAddress address_;
  TcpCheck check_;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace meshdns::probes
