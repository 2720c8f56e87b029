#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "common/time/time.h"

namespace meshdns::federation {

/// Streams that were opened, in the order in which their first message is due. Asking who is late costs what is due,
/// however many sessions there are.
/// thread: control
template <class Session>
class Openings {
 public:
  static constexpr Duration kPatience = 10s;

  /// An entry does not keep the session.
  void opened(const std::shared_ptr<Session>& session, TimePoint now) { due_.push_back({session, now + kPatience}); }
  /// Calls `late` with each session that was opened kPatience ago and still lives; each one once.
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
