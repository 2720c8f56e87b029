#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "common/time/time.h"
#include "dnsd/federation/feed.h"
#include "dnsd/federation/openings.h"
#include "dnsd/federation/watch_session.h"

namespace meshdns::federation {

/// The Watch sessions of all replicas of a federation. Decides when each replica is sent what changed; WatchSession
/// decides what.
///
/// How it works: changes go out in rounds. A change begins a round at once if the last round is longer ago than the
/// pace; otherwise a timer begins the round, which takes along what changed meanwhile. The pace is 10 ms, or twice the
/// cost of the last round if that is more. A round visits only idle sessions. A session that still writes, or waits for
/// an acknowledgement, becomes idle by itself later, and what it missed is merged into one delta. A change that comes
/// while a round is planned costs nothing.
///
///   change --> round: every idle session advances --> pace --> round with what changed meanwhile
///   busy session --written, acknowledged--> idle: advances at once, or in the next round
/// thread: control
class Watchers {
 public:
  static constexpr Duration kHeartbeat = 500ms;  // half of the shortest stale_after
  static constexpr std::size_t kSlices = 10;     // slices of one round of heartbeats
  static constexpr Duration kPace = 10ms;
  static constexpr Duration kSlowestPace = 250ms;
  /// A feed that is so many revisions behind is updated at once, even if no round is due. Timers come late while many
  /// agents send everything, and the catalog's log would not reach back far enough meanwhile.
  static constexpr std::uint64_t kMostLag = 64;

  /// The feed, the clock and the timers must outlive this.
  /// unread: bytes of batches that replicas may leave unread
  /// audit:  takes note of callers who may not watch; may be empty
  Watchers(Feed& feed, const Clock& clock, Timers& timers, rpc::Quota::Limits unread = WatchContext::kUnread,
           std::function<void(const log::AuditEntry&)> audit = {});
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  ~Watchers();

  /// Begins a session on a new stream.
  /// peer:   where the stream comes from, as gRPC names peers
  /// caller: who watches
  std::shared_ptr<WatchSession> open(std::shared_ptr<WatchPort> port, std::string peer, identity::Caller caller);
  void closed(WatchSession& session);
  /// Sends what changed, now or in the next round. Called when the catalog has a new revision.
  void changed();
  /// Sends a node's records to the replicas that differed. Called when its agent has confirmed provisional records.
  void confirmed(const std::string& node);
  /// Sends every replica the status; ends the sessions of replicas that do not acknowledge or read.
  void heartbeat();
  /// Ends the streams whose Subscribe is overdue. Called about every half second.
  void end_silent_streams();
  /// Like heartbeat(), for the next kSlices-th part of the sessions. Called every kHeartbeat / kSlices.
  void heartbeat_slice();
  void shut_down();

  std::size_t subscribers() const { return sessions_.size(); }
  /// Calls visit(session) for each session that has subscribed, until it returns false. The order is not stable.
  template <class F>
  void each_subscriber(F visit) const {
    for (const auto& [key, session] : sessions_) {
      if (session->subscribed() && !visit(*session)) return;
    }
  }
  const WatchCounters& counters() const { return context_.counters; }
  /// The bytes of batches that replicas have not read yet, about.
  std::size_t unread_bytes() const { return context_.unread.total(); }

 private:
  /// Takes note that the session has nothing to write and may begin the next batch.
  void idle(WatchSession& session);
  Duration pace() const { return std::clamp(2 * round_cost_, kPace, kSlowestPace); }
  void plan_round();
  void round();
  /// Lets sessions go on that had to wait because too much was unread.
  void feed_starved();
  /// Forgets old transfers and writes counted log lines. Called with each heartbeat.
  void tidy();

  Feed& feed_;
  const Clock& clock_;
  Timers& timers_;
  WatchContext context_;               // declared before the sessions, which hold shares of its quota
  std::deque<WatchSession*> starved_;  // sessions that wait for room, in the order in which they came
  bool feeding_ = false;
  Openings<WatchSession> openings_;
  std::map<const WatchSession*, std::shared_ptr<WatchSession>> sessions_;
  std::set<WatchSession*> idle_;
  const WatchSession* beaten_ = nullptr;  // the last session that heartbeat_slice() reached
  std::optional<TimerId> round_timer_;
  std::optional<TimePoint> last_round_;
  Duration round_cost_{};
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
