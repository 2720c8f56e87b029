#pragma once

#include <string>
#include <vector>

#include "agent/app/monitor.h"

namespace meshdns::agent::app {

/// Returns the agent's own problems with its checks, one line each: "2 checks cannot run: out of file descriptors". One
/// of them is that checks have waited for their turn for a second.
std::vector<std::string> troubles_of(const Monitor& monitor);

/// Logs when troubles begin and when they are over.
class TroubleLog {
 public:
  /// Takes the troubles that there are now; empty = all is well.
  void look(std::vector<std::string> now);

 private:
  std::vector<std::string> told_;
};

}  // namespace meshdns::agent::app
