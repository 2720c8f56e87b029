#pragma once

#include <vector>

#include "common/metrics/registry.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// A part of a meshdnsd that starts and ends itself, and shows itself to operators. The Daemon decides which roles
/// there are and when each of them starts. For everything else it visits all of them, so that no code asks which roles
/// exist.
/// thread: control, except what is noted
class Role {
 public:
  Role() = default;
  Role(const Role&) = delete;
  Role& operator=(const Role&) = delete;
  virtual ~Role() = default;

  /// Takes over the configuration that was just read.
  virtual void reload() {}
  /// Ends the role's server, which may wait for calls that the loop answers.
  /// thread: the ending thread, while the loop goes on; control after the loop
  virtual void end() {}
  /// Writes the role's part of a status. The part that does not depend on roles is written already.
  virtual void write(v1::StatusReply& out) const = 0;
  /// Appends the role's metrics.
  virtual void collect(std::vector<metrics::Sample>& out) const = 0;
};

}  // namespace meshdns::dnsd::app
