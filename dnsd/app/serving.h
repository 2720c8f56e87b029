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
    std::function<void()> served;  // DNS is served, and the process is ready
    std::function<void()> failed;  // DNS can never be served: the process has to end
  };

  explicit Serving(Environment environment);
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving();

  /// Serves the answer table that the previous run kept, until the records are read. Does nothing if there is none, or
  /// if it does not match. Publications are held from here until begin(), unless nothing is served.
  Result<void> start_with_kept_answers();
  /// Ends the hold of publications, unless kept answers are served.
  void release_unless_served();
  /// Serves DNS as not ready where the service manager holds the port: nobody else would answer its queries. Elsewhere
  /// DNS is not served yet, so that clients move on to their next server.
  Result<void> start_not_ready();
  /// Publishes what is known, then serves it and begins to count as ready. Few hosts are served when this returns. The
  /// table of more hosts takes its time: this thread goes on and hears peers, and the hosts are served afterwards.
  /// errors: only of what happens before this returns: an address that cannot be bound, for example
  Result<void> begin();
  /// Like begin(), for the first records that came from peers. If the system has no room for DNS, tries again later.
  /// Does nothing if it has begun already.
  void begin_or_try_again();
  /// Whether DNS will be served soon: it has begun, and is not ready yet.
  bool comes() const { return begun_ && !env_.process.ready; }
  /// Ends to count as ready, for good: the process ends.
  void stop();

 private:
  /// Serves the published table, unless DNS runs already, and begins to count as ready.
  Result<void> serve();
  void serve_or_try_again();
  /// Tries again to serve DNS if the system may have room later; gives up otherwise.
  void serve_later(const Error& why);

  Environment env_;
  bool begun_ = false;
  bool stopping_ = false;
  std::optional<TimerId> timer_;  // of the next try to serve DNS
  log::Reminder tries_;
};

}  // namespace meshdns::dnsd::app
