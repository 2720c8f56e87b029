#pragma once

#include <memory>

#include "common/process/event_loop.h"
#include "dnsd/admin/mesh.h"

namespace grpc {
class Service;
}

namespace meshdns::admin {

/// The Admin calls, for one gRPC server each. `mesh` must outlive them; it is called on the loop's thread.
/// For the unix socket: its mode says who may.
std::shared_ptr<grpc::Service> calls_from_here(process::EventLoop& loop, Mesh& mesh);
/// For a port: whoever has shown no certificate that the port's credentials verified gets PERMISSION_DENIED. Who
/// changes something is logged.
std::shared_ptr<grpc::Service> calls_from_afar(process::EventLoop& loop, Mesh& mesh);

}  // namespace meshdns::admin
