#pragma once

#include <grpc/support/time.h>

#include "common/time/time.h"

namespace meshdns::rpc {

/// Returns a deadline for a gRPC call, `patience` from the start of the call; gRPC reads the clock.
inline gpr_timespec within(Duration patience) { return gpr_time_from_nanos(patience.count(), GPR_TIMESPAN); }

}  // namespace meshdns::rpc
