#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// A line for each finding; then the counts. Findings of many hosts that say the same have one line together, with the
/// first three names and the number of the others.
/// file: where the objects are from; empty = they are live
std::string lint_view(const v1::LintReply& reply, const std::string& file);

}  // namespace meshdns::ctl
