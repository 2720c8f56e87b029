#pragma once

#include <cstddef>
#include <memory>

#include "agent/probes/check.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// The connections that the gRPC checks of an agent share: one for all checks with the same address, TLS
/// and timeout.
/// thread: the loop's
class GrpcChannels {
 public:
  struct State;

  /// `loop` must outlive this object.
  explicit GrpcChannels(process::EventLoop& loop);
  /// Ends the way from gRPC's threads to the loop. Waits for nothing.
  ~GrpcChannels();
  GrpcChannels(const GrpcChannels&) = delete;
  GrpcChannels& operator=(const GrpcChannels&) = delete;

  /// The number of connections that are kept, of those that are in use or were in use a short while ago.
  std::size_t size() const;
  const std::shared_ptr<State>& state() const { return state_; }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
