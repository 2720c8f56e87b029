#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/time/time.h"
#include "dnsd/federation/feed.h"
#include "dnsd/federation/openings.h"
#include "dnsd/federation/watch_session.h"

namespace meshdns::federation {

/// All subscribers of a federation.
/// thread: control
class Watchers {
 public:
  static constexpr Duration kHeartbeat = 500ms;  // half of the shortest stale_after

  Watchers(Feed& feed, const Clock& clock) : feed_(feed), clock_(clock) {}

  std::shared_ptr<WatchSession> open(std::shared_ptr<WatchPort> port);
  void closed(const WatchSession& session) { sessions_.erase(&session); }
  /// The catalog has moved on.
  void changed();
  /// A node's agent has confirmed what was provisional.
  void confirmed(const std::string& node);
  /// Called every kHeartbeat.
  void heartbeat();
  /// Ends the streams whose Subscribe is overdue; called every half second or so.
  void end_silent_streams();
  void shut_down();

  std::size_t subscribers() const { return sessions_.size(); }
  const WatchCounters& counters() const { return counters_; }

 private:
  Feed& feed_;
  const Clock& clock_;
  WatchCounters counters_;
  Openings<WatchSession> openings_;
  std::map<const WatchSession*, std::shared_ptr<WatchSession>> sessions_;
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
