#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "agent/probes/grpc_probe.h"
#include "tests/unit/agent/probes/loopback.h"

namespace meshdns::probes {

/// What tests of gRPC checks have in common.
class GrpcProbeTest : public testing::Test {
 protected:
  health::ProbeResult ask(const SocketAddress& where, GrpcCheck check = {}, Duration timeout = 20s) {
    GrpcProbe probe(loop_, channels_, where, std::move(check));
    return run_probe(loop_, probe, timeout);
  }
  /// Runs the loop until the condition holds.
  bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 20'000 && !holds(); ++i) pause(1ms);
    return holds();
  }
  void pause(Duration duration) {
    loop_.after(duration, [this] { loop_.stop(); });
    loop_.run();
    loop_.restart();
  }

  process::EventLoop loop_;
  GrpcChannels channels_{loop_};
};

inline const health::ProbeResult kNotServing{
    .outcome = health::Outcome::Failure, .detail = "NOT_SERVING", .certain = true};

}  // namespace meshdns::probes
