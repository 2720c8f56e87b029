#pragma once

#include <memory>

#include "common/identity/gate.h"
#include "common/process/event_loop.h"
#include "dnsd/admin/mesh.h"

namespace grpc {
class Service;
}

namespace meshdns::admin {

/// Returns the Admin calls for a unix socket, whose mode decides who may call. Each result serves one gRPC server.
/// `mesh` must outlive it; it is called on the loop's thread.
std::shared_ptr<grpc::Service> calls_from_here(process::EventLoop& loop, const Clock& clock, Mesh& mesh);
/// Returns the Admin calls for a port. `gate` decides who a caller is and what it may do; who may not gets
/// PERMISSION_DENIED with the rule, and so does everybody without a certificate. Each change and each refusal is logged
/// with its caller. Lifetime and thread as above.
std::shared_ptr<grpc::Service> calls_from_afar(process::EventLoop& loop, const Clock& clock, Mesh& mesh,
                                               std::shared_ptr<const identity::Gate> gate);

}  // namespace meshdns::admin
