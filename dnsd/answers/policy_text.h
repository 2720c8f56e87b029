#pragma once

#include <string>

#include "common/model/policy.h"

namespace meshdns::answers {

/// "default ladder, no fence, no spill", "ladder zone > any, fence within region, spill 140%, failover ..."
std::string policy_text(const model::Policy& policy);

}  // namespace meshdns::answers
