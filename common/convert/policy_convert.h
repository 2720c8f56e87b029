#pragma once

#include "common/convert/first_error.h"
#include "common/model/policy.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {

/// Converts a policy; fields that are not given get their defaults. Reports the first problem to `first`.
model::Policy to_policy(const v1::VirtualDestinationSpec::Policy& from, FirstError& first);

}  // namespace meshdns::convert
