#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/ctl/admin_client.h"
#include "dnsd/ctl/documents.h"
#include "dnsd/ctl/server_access.h"

namespace CLI {
class App;
}

namespace meshdns::ctl {

/// A command with its own flags, as main() runs it.
struct Tool {
  const CLI::App* command = nullptr;
  /// Returns whether the command needs no server. Called when the command line was read.
  std::function<bool()> offline = [] { return false; };
  /// Runs the command.
  /// client: null if offline() is true
  /// returns: the exit code
  std::function<int(AdminClient*, Output)> run;
};

// Each function adds one or two commands to the command line.

void add_simulate(CLI::App& cli, std::vector<Tool>& tools);
/// Adds the commands history and watch.
void add_history(CLI::App& cli, std::vector<Tool>& tools);
void add_lint(CLI::App& cli, std::vector<Tool>& tools);
/// Adds the commands login and context.
/// server: the flags of every command; must outlive the tools
void add_login(CLI::App& cli, const ServerFlags& server, std::vector<Tool>& tools);
/// Adds the command token with its parts create, list and revoke.
void add_token(CLI::App& cli, std::vector<Tool>& tools);
/// Adds the command ca with its parts init, issue, show and rotate.
void add_ca(CLI::App& cli, std::vector<Tool>& tools);

}  // namespace meshdns::ctl
