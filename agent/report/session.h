#pragma once

#include <functional>
#include <optional>

#include "agent/report/messages.h"
#include "agent/report/syncer.h"
#include "common/time/time.h"

namespace meshdns::report {

/// One stream's life: asks the syncer for the next message whenever the line is free and a change, a message or the
/// time calls for it. No socket, no clock of its own.
/// thread: control
class Session {
 public:
  /// The stream. send: one message at a time, each followed by written(); abort: ends it at once
  struct Line {
    std::function<void(const Outgoing&)> send;
    std::function<void()> abort;
  };
  /// A write that takes longer means that nobody reads at the other end.
  static constexpr Duration kLongestWrite = 10s;

  Session(Syncer& syncer, const Clock& clock, Timers& timers, Line line);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Says Hello.
  void begin();
  void received(const Incoming& message);
  void written();
  /// Something changed: sends it if the line is free.
  void pump();
  bool idle() const { return !writing_; }

 private:
  void set_heartbeat_timer();
  void cancel(std::optional<TimerId>& timer);

  Syncer& syncer_;
  const Clock& clock_;
  Timers& timers_;
  Line line_;
  bool writing_ = false;
  Duration loop_lag_{};
  std::optional<TimerId> heartbeat_timer_;
  std::optional<TimerId> write_timer_;
};

}  // namespace meshdns::report
