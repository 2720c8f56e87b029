#pragma once

#include <memory>

#include "common/identity/gate.h"
#include "common/log/audit.h"
#include "common/net/local_user.h"
#include "common/process/event_loop.h"
#include "dnsd/admin/mesh.h"

namespace grpc {
class Service;
}

namespace meshdns::admin {

/// Returns the Admin calls of one user of a unix socket, whose mode decides who may call. Each result serves one gRPC
/// server. Changes are noted in the audit with the user, who is also the author of overrides that name none. `mesh` and
/// `audit` must outlive the calls; both are called on the loop's thread.
std::shared_ptr<grpc::Service> calls_from_here(process::EventLoop& loop, Mesh& mesh, log::Audit& audit, LocalUser user);
/// Returns the Admin calls for a port. `gate` decides who a caller is and what it may do; who may not gets
/// PERMISSION_DENIED with the rule, and so does everybody without a certificate. Each change and each refusal is noted
/// in the audit, and the caller is the author of its overrides. Lifetimes and thread as above.
std::shared_ptr<grpc::Service> calls_from_afar(process::EventLoop& loop, Mesh& mesh, log::Audit& audit,
                                               std::shared_ptr<const identity::Gate> gate);

}  // namespace meshdns::admin
