#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/identity/gate.h"
#include "common/identity/proof.h"
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

/// Takes the answer to one call of Enroll.
/// thread: control
using Enrolled = std::function<void(Result<v1::EnrollReply>)>;

/// Answers Enroll, at once or later. The request exists until `done` was called, exactly once; the end of the service
/// waits for that.
/// thread: control
using Enroll = std::function<void(const v1::EnrollRequest& request, const identity::Proof& applicant, Enrolled done)>;

/// The address of the federation's port, its credentials, and the other services on it.
struct PortOptions {
  std::string address;                                   // "127.0.0.1:7400", "[::1]:0" or "unix:/path"
  std::shared_ptr<grpc::ServerCredentials> credentials;  // null = plaintext
  std::shared_ptr<const identity::Gate> gate;            // says who a caller is; not null
  Enroll enroll;                                         // empty = this federation signs no certificates
  std::vector<std::shared_ptr<grpc::Service>> also;      // further services on the port
  rpc::Acceptor::Options connections{};
};

/// The gRPC server to which agents report and which replicas watch. Turns each call into a ReportSession or a
/// WatchSession on the control thread.
class FederationService {
 public:
  /// Returns the Watchers that serve the Watch call. Called on the loop, so they need not exist before the loop runs.
  using WatchersOf = std::function<Watchers&()>;

  /// Binds the port and accepts connections at once. Messages are handled when the loop runs, so an agent that connects
  /// to a process that still reads its store waits instead of being refused. All arguments by reference must outlive
  /// the service.
  /// errors: the address cannot be bound
  static Result<std::unique_ptr<FederationService>> listen(process::EventLoop& loop, const Clock& clock, Agents& agents,
                                                           WatchersOf watchers, PortOptions options);
  /// Ends all calls, within at most 2 s. The sessions' last events are posted to the loop; ending needs nothing else of
  /// the loop.
  ~FederationService();

  /// The bound address with the real port, like "127.0.0.1:7400", or the unix address.
  const std::string& bound() const;
  /// The acceptor of the port's connections. Its counts may be read after the end of the service.
  std::shared_ptr<const rpc::Acceptor> acceptor() const;
  /// The bounds of the port's streams. The object may outlive the service.
  std::shared_ptr<const rpc::StreamLimits> streams() const;

 private:
  struct Server;
  explicit FederationService(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace meshdns::federation
