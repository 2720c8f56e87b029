#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "common/time/time.h"

namespace meshdns::federation {

/// The streams that were opened, in the order in which their first message is due. Used by Agents and Watchers to end
/// streams that never say Hello or Subscribe. A look costs by the streams that are due, not by all streams.
/// thread: control
template <class Session>
class Openings {
 public:
  static constexpr Duration kPatience = 10s;

  /// Adds a stream. The entry does not keep the session alive.
  void opened(const std::shared_ptr<Session>& session, TimePoint now) { due_.push_back({session, now + kPatience}); }
  /// Calls `late` once with each session that was opened at least kPatience ago and still exists.
  template <class F>
  void each_due(TimePoint now, F late) {
    while (!due_.empty() && due_.front().at <= now) {
      const auto session = due_.front().session.lock();
      due_.pop_front();
      if (session) late(session);
    }
  }

 private:
  struct Due {
    std::weak_ptr<Session> session;
    TimePoint at;
  };

  std::deque<Due> due_;
};

}  // namespace meshdns::federation
