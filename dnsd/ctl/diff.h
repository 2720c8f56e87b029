#pragma once

#include <string>

namespace meshdns::ctl {

/// Returns the difference line by line: "  same", "- only in before", "+ only in after". Keeps the longest common
/// subsequence of lines.
std::string line_diff(const std::string& before, const std::string& after);

}  // namespace meshdns::ctl
