#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/ctl/client.h"
#include "dnsd/ctl/documents.h"

namespace CLI {
class App;
}

namespace meshdns::ctl {

/// A command with flags of its own, as main() runs it.
struct Tool {
  const CLI::App* command = nullptr;
  /// Whether it needs no server, when the command line has been read.
  std::function<bool()> offline = [] { return false; };
  /// client: null where it is offline. returns: the exit code
  std::function<int(Client*, Output)> run;
};

// Each adds one command, or two, to the command line.

void add_simulate(CLI::App& cli, std::vector<Tool>& tools);
/// history and watch
void add_history(CLI::App& cli, std::vector<Tool>& tools);
void add_lint(CLI::App& cli, std::vector<Tool>& tools);

}  // namespace meshdns::ctl
