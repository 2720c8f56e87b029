#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/ctl/admin_client.h"

namespace meshdns::ctl {

/// The flags of drain, undrain, force, unforce, freeze and thaw.
struct OverrideFlags {
  std::string action;               // for force: up or down
  std::vector<std::string> target;  // "node=eu1-n1"
  std::string reason;
  std::string author;  // empty = meshdnsd writes down who calls
  std::string length;  // "1h", "never"; empty = not given
  bool force = false;
  bool local = false;
  bool print = false;  // the object is printed for kubectl, and not applied
};

// Each function runs one command and returns the exit code, as the functions in commands.h do.
// unix_seconds: now

int drain(AdminClient& client, const OverrideFlags& flags, std::int64_t unix_seconds);
int force(AdminClient& client, const OverrideFlags& flags, std::int64_t unix_seconds);
int freeze(AdminClient& client, const OverrideFlags& flags, std::int64_t unix_seconds);
/// Each removes the overrides for exactly this target, whoever made them and whatever their names are.
int undrain(AdminClient& client, const OverrideFlags& flags);
int unforce(AdminClient& client, const OverrideFlags& flags);
int thaw(AdminClient& client);

}  // namespace meshdns::ctl
