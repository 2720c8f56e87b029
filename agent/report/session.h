#pragma once

#include <functional>
#include <optional>

#include "agent/report/messages.h"
#include "agent/report/syncer.h"
#include "common/time/time.h"

namespace meshdns::report {

/// The life of one stream, used by GrpcReporter: asks the syncer for the next message whenever no write is running and
/// there is a change, a message from the federation, or the heartbeat is due. Owns the timers; the stream is behind
/// Line, so that tests need no socket.
/// thread: the loop's; syncer, clock and timers must outlive the session
class Session {
 public:
  /// The stream.
  /// send:  writes a message; written() must follow before the next send
  /// abort: ends the stream at once
  struct Line {
    std::function<void(const Outgoing&)> send;
    std::function<void()> abort;
  };
  /// The stream is aborted when a write takes longer: the federation does not read.
  static constexpr Duration kLongestWrite = 10s;

  Session(Syncer& syncer, const Clock& clock, Timers& timers, Line line);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Sends Hello.
  void begin();
  void received(const Incoming& message);
  void written();
  /// Sends the next message if the syncer has one and no write is running. Called after each change of the syncer.
  void pump();
  /// Whether no write is running.
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
