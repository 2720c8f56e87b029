#pragma once

#include <memory>

#include "common/identity/gate.h"
#include "common/process/event_loop.h"
#include "common/time/time.h"
#include "dnsd/enrolment/enrolment.h"

namespace grpc {
class Service;
}

namespace meshdns::enrolment {

/// Returns the service by which agents, replicas and operators get certificates. Each certificate and each refusal is
/// logged. `enrolment` must outlive the result; it is called on the loop's thread.
/// gate: finds out whose a certificate is
std::shared_ptr<grpc::Service> service_of(process::EventLoop& loop, const Clock& clock, Enrolment& enrolment,
                                          std::shared_ptr<const identity::Gate> gate);

}  // namespace meshdns::enrolment
