#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// A line for each finding; then the counts.
/// file: where the objects are from; empty = they are live
std::string lint_view(const v1::LintReply& reply, const std::string& file);

}  // namespace meshdns::ctl
