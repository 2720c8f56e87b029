#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/probes/grpc_channels.h"
#include "common/base/result.h"
#include "grpc/health/v1/health.grpc.pb.h"

// The inside of GrpcChannels, for the sources of gRPC checks: gRPC's headers cost compile time.

namespace meshdns::probes {

/// The way from gRPC's threads to the loop, which ends before the loop does.
class GrpcGate {
 public:
  explicit GrpcGate(process::EventLoop& loop) : loop_(&loop) {}

  /// Drops the work after close().
  /// thread: any
  void post(std::function<void()> work);
  void close();

 private:
  std::mutex mutex_;
  process::EventLoop* loop_;
};

/// A connection to a server, which gRPC makes when the first call needs it.
struct GrpcLink {
  GrpcLink(std::string name, std::shared_ptr<grpc::Channel> to)
      : key(std::move(name)), channel(std::move(to)), stub(grpc::health::v1::Health::NewStub(channel)) {}

  std::string key;  // of GrpcChannels::State::links
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<grpc::health::v1::Health::Stub> stub;
  bool answered = false;  // a call over it has been answered
};

/// A call of Check. gRPC writes into it until the call's callback has run.
struct GrpcCall {
  grpc::ClientContext context;
  grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse reply;
  std::shared_ptr<GrpcLink> link;
};

/// How it works: a link lives as long as a probe, a call or a stream uses it, and then until its connection is made or
/// has failed. If a channel is destroyed while it connects, gRPC 1.51 forgets the connection and never closes it.
struct GrpcChannels::State : std::enable_shared_from_this<State> {
  explicit State(process::EventLoop& event_loop) : loop(event_loop), gate(std::make_shared<GrpcGate>(event_loop)) {}

  /// Returns the connection that others use, or a new one.
  /// timeout: for connecting
  /// fresh:   a new one in any case, which others then use too
  /// errors:  a file of the TLS options cannot be read
  Result<std::shared_ptr<GrpcLink>> link(const GrpcCheck& check, const SocketAddress& where, Duration timeout,
                                         bool fresh);
  /// Lets nobody use the connection for further calls.
  void drop(const GrpcLink& link);
  /// Forgets the connections that nobody uses.
  void sweep();
  /// Destroys a link that nobody uses, after kLastLook or later.
  void bury(std::shared_ptr<GrpcLink> link);

  static constexpr Duration kLastLook = 50ms;
  process::EventLoop& loop;
  std::shared_ptr<GrpcGate> gate;
  std::map<std::string, std::weak_ptr<GrpcLink>> links;
  std::size_t sweep_at = 0;  // entries
};

}  // namespace meshdns::probes
