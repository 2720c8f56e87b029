#pragma once

#include "common/identity/rules.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::config {

/// Returns the rules of a section `identity`.
/// requires: the section has passed check_identity()
identity::Rules rules_of(const v1::Identity& section);

}  // namespace meshdns::config
