#pragma once

#include <functional>
#include <optional>

#include "common/base/result.h"
#include "common/log/reminder.h"
#include "common/time/time.h"
#include "dnsd/app/dns_service.h"
#include "dnsd/app/mesh_state.h"
#include "dnsd/snapshot_file/warm_start.h"

namespace meshdns::dnsd::app {

/// Decides when DNS is served, and with which answers: as early as something true can be answered.
///
///   kept answers that match -> DNS at once, with them; publications are held until the records are read
///   records are known       -> DNS, ready
///   nothing is known        -> no DNS, or SERVFAIL where the service manager holds the port, until the first records
///
/// thread: control
class Serving {
 public:
  /// All references must outlive the object.
  struct Environment {
    Timers& timers;
    ProcessState& process;  // becomes ready
    const MeshState& mesh;
    DnsService& dns;
    snapshot_file::WarmStart& warm_start;
    std::function<void()> failed;  // DNS can never be served: the process has to end
  };

  explicit Serving(Environment environment);
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving();

  /// Serves the answer table that the previous run kept, until the records are read. Does nothing if there is none, or
  /// if it does not match. Publications are held from here until become_ready(), unless nothing is served.
  Result<void> start_with_kept_answers();
  /// Ends the hold of publications, unless kept answers are served.
  void release_unless_served();
  /// Starts DNS, unless it runs already.
  Result<void> start();
  /// Serves DNS as not ready where the service manager holds the port: nobody else would answer its queries. Elsewhere
  /// DNS is not served yet, so that clients move on to their next server.
  Result<void> start_not_ready();
  /// Publishes what is known, and begins to count as ready.
  void become_ready();
  /// Serves the first records that came from peers. If the system has no room, tries again later.
  void begin();
  /// Ends to count as ready, for good: the process ends.
  void stop();

 private:
  /// Tries again to serve DNS if the system may have room later; gives up otherwise.
  void serve_later(const Error& why);

  Environment env_;
  bool stopping_ = false;
  std::optional<TimerId> timer_;  // of the next try to serve DNS
  log::Reminder tries_;
};

}  // namespace meshdns::dnsd::app
