#pragma once

#include "common/convert/first_error.h"
#include "common/model/policy.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {

/// The policy, with the defaults of what it leaves open. Notes the first thing that is wrong.
model::Policy to_policy(const v1::VirtualDestinationSpec::Policy& from, FirstError& first);

}  // namespace meshdns::convert
