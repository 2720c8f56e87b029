#pragma once

#include <functional>
#include <memory>

#include "agent/probes/check.h"
#include "agent/probes/grpc_channels.h"
#include "agent/probes/probe.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Asks a server for its health by grpc.health.v1. No thread of its own; the destructor cancels what runs and does not
/// wait.
///
/// How it works: each run() is one call of Check over a shared connection. With `watch`, a stream of Watch is open
/// beside it. The stream's only use is to say that the next Check has news: a change of the status, or the end of the
/// connection. So a server that hangs fails as it does without `watch`, and a stream that lies changes nothing.
///
///   run() --> Check --> result ----------------> done
///               '--> first answer: opens Watch --> change or end --> news --> run()
///
/// gRPC reconnects by a schedule of its own, up to minutes later, and calls fail at once meanwhile. A check must see
/// the server as it is now. So a connection is only kept while calls over it are answered: after a timeout or a lost
/// connection, the next run() makes a new one. If a connection that was kept is lost, run() tries once more with a new
/// one, because the server may have closed the old one for its own reasons.
///
/// TLS is 1.3 only, which holds for all gRPC of this process (common/rpc/credentials.h).
class GrpcProbe : public Probe {
 public:
  /// channels: must outlive the probe
  GrpcProbe(process::EventLoop& loop, GrpcChannels& channels, const SocketAddress& where, GrpcCheck check);
  ~GrpcProbe() override;

  /// Starts a check. If one is running, the new one replaces it, and the first `done` is not called.
  void run(Duration timeout, Done done) override;
  void watch(std::function<void()> news) override;
  void reconnect() override;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
