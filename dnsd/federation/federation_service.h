#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/process/event_loop.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/stream_limits.h"
#include "dnsd/federation/agents.h"
#include "dnsd/federation/watchers.h"

namespace grpc {
class ServerCredentials;
class Service;
}  // namespace grpc

namespace meshdns::federation {

/// Where the federation's port is, and what is served there.
struct PortOptions {
  std::string address;                                   // "127.0.0.1:7400", "[::1]:0" or "unix:/path"
  std::shared_ptr<grpc::ServerCredentials> credentials;  // null = plaintext
  std::vector<std::shared_ptr<grpc::Service>> also;      // other services on the port
  rpc::Acceptor::Options connections{};
};

/// The gRPC server that agents report to and replicas watch.
class FederationService {
 public:
  /// Returns what serves Watch. It is called on the loop, so there need not be one before the loop runs.
  using WatchersOf = std::function<Watchers&()>;

  /// Takes connections at once. What they say is handled when the loop runs: whoever connects to a process that still
  /// reads its store waits, and is not refused.
  /// errors: it cannot be bound
  static Result<std::unique_ptr<FederationService>> listen(process::EventLoop& loop, const Clock& clock, Agents& agents,
                                                           WatchersOf watchers, PortOptions options);
  /// Ends all calls, for at most 2 s. The loop must not be needed for that by anybody but the sessions, whose last
  /// events are posted to it.
  ~FederationService();

  /// "127.0.0.1:7400" with the real port, or the unix address
  const std::string& bound() const;
  /// What accepts connections there; it may be asked for its counts after the end of the service.
  std::shared_ptr<const rpc::Acceptor> acceptor() const;
  /// What bounds the streams there; it may outlive the service.
  std::shared_ptr<const rpc::StreamLimits> streams() const;

 private:
  struct Server;
  explicit FederationService(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace meshdns::federation
