#pragma once

#include <string>

namespace meshdns::ctl {

/// Line by line: "  same", "- only in before", "+ only in after"; the longest common lines stay together.
std::string line_diff(const std::string& before, const std::string& after);

}  // namespace meshdns::ctl
