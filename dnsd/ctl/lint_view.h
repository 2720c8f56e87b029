#pragma once

#include <string>

#include "meshdns/v1/admin.pb.h"

namespace meshdns::ctl {

/// Returns a line for each finding, then the counts. Equal findings of many hosts share one line with the first three
/// names and the number of further hosts.
/// file: the file that the objects are from; empty = they are live
std::string lint_view(const v1::LintReply& reply, const std::string& file);

}  // namespace meshdns::ctl
