#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/ctl/client.h"

namespace meshdns::ctl {

/// What stands on the command line of drain, undrain, force, unforce, freeze and thaw.
struct OverrideFlags {
  std::string action;               // of force: up or down
  std::vector<std::string> target;  // "node=eu1-n1"
  std::string reason;
  std::string author;  // empty = "$USER@host"
  std::string length;  // "1h", "never"; empty = not given
  bool force = false;
  bool local = false;
};

// Each does one command and returns the exit code, as those of commands.h. unix_seconds: now

int drain(Client& client, const OverrideFlags& flags, std::int64_t unix_seconds);
int force(Client& client, const OverrideFlags& flags, std::int64_t unix_seconds);
int freeze(Client& client, const OverrideFlags& flags, std::int64_t unix_seconds);
/// They take back what is for exactly this target, whoever made it and however it is named.
int undrain(Client& client, const OverrideFlags& flags);
int unforce(Client& client, const OverrideFlags& flags);
int thaw(Client& client);

}  // namespace meshdns::ctl
