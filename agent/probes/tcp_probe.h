#pragma once

#include <memory>

#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Connects and closes again. A running attempt ends with the probe. `loop` must outlive it.
class TcpProbe : public Probe {
 public:
  TcpProbe(process::EventLoop& loop, SocketAddress address);
  ~TcpProbe() override;

  /// A second run() while one goes on replaces it: the first `done` is not called.
  void run(Duration timeout, Done done) override;

 private:
  struct Attempt;
  process::EventLoop& loop_;
  SocketAddress address_;
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace meshdns::probes
