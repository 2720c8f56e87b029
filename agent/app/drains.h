#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/app/maintenance.h"
#include "agent/app/monitor.h"
#include "agent/app/state_file.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Stands between Monitor and Syncer, and reports endpoints that an operator has drained as draining. Ends drains in
/// time, and keeps them over a restart. Which endpoint is drained is Maintenance's.
///
///   Monitor --put, remove--> Drains (Maintenance) --put, remove--> Syncer
/// thread: the loop's
class Drains {
 public:
  /// clock, timers: must outlive this
  /// sink: gets the endpoints as they are reported; not called before the first put()
  Drains(const Clock& clock, Timers& timers, Monitor::Sink sink, std::string path);
  ~Drains();
  Drains(const Drains&) = delete;
  Drains& operator=(const Drains&) = delete;

  /// Reads the drains that an earlier run has kept. Call it before the first put().
  void load();

  void put(const model::Endpoint& endpoint);
  void remove(const std::string& key);

  /// Begins a drain, or changes the reason and the end of the one with the same target.
  /// target:  "namespace/service" or a key; empty = the whole node
  /// length:  nothing = until undrain()
  /// returns: why the drain is forgotten at a restart; empty = it is kept
  /// errors:  NotFound: the target covers no endpoint, and is not the node. ResourceExhausted
  Result<std::string> drain(const std::string& target, const std::string& reason, std::optional<Duration> length);
  /// errors: NotFound: there is no such drain
  Result<std::string> undrain(const std::string& target);

  const std::map<std::string, Drain>& drains() const { return maintenance_.drains(); }
  /// Returns the number of endpoints that a target covers.
  std::size_t covered(const std::string& target) const;
  const std::string& trouble() const { return file_.trouble(); }

 private:
  Instant now() const { return {clock_.now(), clock_.unix_seconds()}; }
  /// Reports all endpoints again, keeps the drains, and waits for the next end.
  std::string changed();
  void expire();
  void wait();

  const Clock& clock_;
  Timers& timers_;
  Monitor::Sink sink_;
  Maintenance maintenance_;
  StateFile file_;
  std::map<std::string, model::Endpoint> endpoints_;  // by key, as Monitor has put them
  std::optional<TimerId> timer_;
};

/// Returns what a drain's target is called: "shop/web", "this node".
std::string_view target_name(const std::string& target);

}  // namespace meshdns::agent::app
