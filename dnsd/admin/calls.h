#pragma once

#include <memory>

#include "common/process/event_loop.h"
#include "dnsd/admin/mesh.h"

namespace grpc {
class Service;
}

namespace meshdns::admin {

/// Returns the Admin calls for a unix socket, whose mode decides who may call. Each result serves one gRPC server.
/// `mesh` must outlive it; it is called on the loop's thread.
std::shared_ptr<grpc::Service> calls_from_here(process::EventLoop& loop, Mesh& mesh);
/// Returns the Admin calls for a port. A caller without a certificate that the port's credentials have verified gets
/// PERMISSION_DENIED. Each change is logged with its caller. Lifetime and thread as above.
std::shared_ptr<grpc::Service> calls_from_afar(process::EventLoop& loop, Mesh& mesh);

}  // namespace meshdns::admin
