#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/log/audit.h"
#include "common/process/event_loop.h"
#include "dnsd/admin/mesh.h"

namespace meshdns::admin {

/// The gRPC server for meshdnsctl on a unix socket of mode 0660. The socket's mode decides who may call.
///
/// How it works: gRPC does not tell which connection a call came over. So each user has a gRPC server of its own, and a
/// new connection is handed to the server of the user whom the kernel names (SO_PEERCRED). The users are few, because
/// the socket's mode keeps out all except root and the members of one group.
class AdminService {
 public:
  /// Binds the socket and serves the calls. A socket on which no process answers is replaced. `mesh` and `audit` must
  /// outlive the service; both are called on the loop's thread.
  /// errors: AlreadyExists if another process serves there; Unavailable if it cannot be bound
  static Result<std::unique_ptr<AdminService>> listen(process::EventLoop& loop, const Clock& clock, Mesh& mesh,
                                                      log::Audit& audit, const std::string& path);
  /// Ends all calls, within at most 1 s.
  ~AdminService();

 private:
  struct Server;
  explicit AdminService(std::unique_ptr<Server> server);
  std::unique_ptr<Server> server_;
};

}  // namespace meshdns::admin
