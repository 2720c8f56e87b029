#pragma once

#include <string>

#include "common/model/policy.h"

namespace meshdns::answers {

/// Returns "default ladder, no fence, no spill", or "ladder zone > any, fence within region, spill 140%, failover ...".
std::string policy_text(const model::Policy& policy);

}  // namespace meshdns::answers
