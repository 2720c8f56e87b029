#pragma once

#include <string>
#include <vector>

#include "agent/app/agent_client.h"

namespace CLI {
class App;
}

namespace meshdns::agent::app {

/// The subcommands that talk to the agent which runs on this node: register, deregister, list, push, drain, undrain,
/// status, check, completion.
///
/// Exit codes: 0 = done, 1 = the agent refuses or does not answer, 2 = wrong usage, or a file that is not right.
class Commands {
 public:
  /// Adds the subcommands to the command line; this must outlive it.
  void add_to(CLI::App& cli);
  /// Whether one of them was given.
  bool chosen() const { return chosen_ != Kind::None; }
  /// The value of --socket; empty = the configuration says where the agent listens.
  const std::string& socket() const { return socket_; }
  /// Whether the command needs no agent.
  bool is_alone() const { return chosen_ == Kind::Completion; }
  /// Carries out the command, and prints the outcome.
  /// socket:  path of the agent's unix socket
  /// returns: the exit code
  int run(const std::string& socket) const;

 private:
  enum class Kind { None, Register, Deregister, List, Push, Drain, Undrain, Status, Check, Completion };

  CLI::App* add(CLI::App& cli, Kind kind, const char* name, const char* help, bool prints = true);
  /// Returns the request; the file to register is read.
  Result<AgentRequest> request() const;
  int print(const http::Response& answer) const;

  Kind chosen_ = Kind::None;
  std::string socket_;
  std::string output_ = "table";
  std::string file_;
  std::string target_;
  std::string state_;
  std::string detail_;
  std::string length_;
  std::string reason_;
  std::string shell_;
};

/// Returns the services and keys of the endpoints that the agent at a socket reports; empty if none answers.
std::vector<std::string> names_at(const std::string& socket);

}  // namespace meshdns::agent::app
