#pragma once

#include <string>

namespace meshdns::ctl {

/// The script that `source <(meshdnsctl completion bash)` reads.
std::string bash_completion();

}  // namespace meshdns::ctl
