#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
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

/// All subscribers of a federation, and when they are told what changed.
///
/// How it works: what changed goes out in rounds. A change begins a round at once if the last one is longer ago than
/// the pace; otherwise a timer begins it, and takes along what changed meanwhile. The pace is 10 ms, or twice what the
/// last round cost. A round visits the sessions that are idle: sessions that still write, or whose subscriber has not
/// acknowledged, come back by themselves when they are free, and what they missed is merged into one delta. A change
/// that finds a round planned costs nothing. thread: control
class Watchers {
 public:
  static constexpr Duration kHeartbeat = 500ms;  // half of the shortest stale_after
  static constexpr std::size_t kSlices = 10;     // of one round of heartbeats
  static constexpr Duration kPace = 10ms;
  static constexpr Duration kSlowestPace = 250ms;
  /// A feed that is so many revisions behind is updated at once, though no round is due: timers come late while many
  /// agents report everything, and the catalog's log would run out meanwhile.
  static constexpr std::uint64_t kMostLag = 64;

  /// unread: how much of batches subscribers may leave unread
  Watchers(Feed& feed, const Clock& clock, Timers& timers, rpc::Quota::Limits unread = WatchContext::kUnread);
  Watchers(const Watchers&) = delete;
  Watchers& operator=(const Watchers&) = delete;
  ~Watchers();

  /// peer: where the stream comes from, as gRPC names peers
  std::shared_ptr<WatchSession> open(std::shared_ptr<WatchPort> port, std::string peer = {});
  void closed(WatchSession& session);
  /// The catalog has a new revision.
  void changed();
  /// A node's agent has confirmed what was provisional.
  void confirmed(const std::string& node);
  /// Tells every subscriber that the federation lives; ends sessions that do not acknowledge or do not read.
  void heartbeat();
  /// Ends the streams whose Subscribe is overdue; called every half second or so.
  void end_silent_streams();
  /// Does the same for the next kSlices-th part of the sessions; called every kHeartbeat / kSlices.
  void heartbeat_slice();
  void shut_down();

  std::size_t subscribers() const { return sessions_.size(); }
  /// Calls visit(session) for each one that has subscribed, until it returns false; in no order that lasts.
  template <class F>
  void each_subscriber(F visit) const {
    for (const auto& [key, session] : sessions_) {
      if (session->subscribed() && !visit(*session)) return;
    }
  }
  const WatchCounters& counters() const { return context_.counters; }
  /// The bytes of batches that subscribers have not read yet, about.
  std::size_t unread_bytes() const { return context_.unread.total(); }

 private:
  /// The session has nothing to write, and may begin the next batch.
  void idle(WatchSession& session);
  Duration pace() const { return std::clamp(2 * round_cost_, kPace, kSlowestPace); }
  void plan_round();
  void round();
  /// Lets those go on that had to wait because too much was unread.
  void feed_starved();
  /// What is done with each heartbeat, besides.
  void tidy();

  Feed& feed_;
  const Clock& clock_;
  Timers& timers_;
  WatchContext context_;               // before the sessions, which have shares of it
  std::deque<WatchSession*> starved_;  // in the order in which they came
  bool feeding_ = false;
  Openings<WatchSession> openings_;
  std::map<const WatchSession*, std::shared_ptr<WatchSession>> sessions_;
  std::set<WatchSession*> idle_;
  const WatchSession* beaten_ = nullptr;  // the last one that the slices of heartbeats have reached
  std::optional<TimerId> round_timer_;
  std::optional<TimePoint> last_round_;
  Duration round_cost_{};
  bool shutting_down_ = false;
};

}  // namespace meshdns::federation
