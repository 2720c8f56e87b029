#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/rpc/attempt_log.h"
#include "common/rpc/backoff.h"
#include "common/time/time.h"

namespace meshdns::rpc {

/// Decides which of several servers a client with one stream connects to, and when: after a failure the next server of
/// the list, after a delay. The client opens the stream and logs.
///
///   begin() --> open() --stream ends, or cannot be opened--> ended() --delay--> open(), to the next server
///
/// thread: the timers'; they must outlive the reconnector
class Reconnector {
 public:
  /// A stream that has ended or could not be opened, and the next attempt.
  struct Failure {
    std::string server;
    Duration delay{};     // until the next attempt, at the next server
    bool logged = false;  // whether the client shall log the failure: AttemptLog keeps a long row of failures short
  };

  /// servers: at least one
  /// seed:    seeds the jitter of the delays
  /// open:    opens a stream to server(); if it cannot, calls ended()
  Reconnector(Timers& timers, std::vector<std::string> servers, std::uint64_t seed, std::function<void()> open);
  Reconnector(const Reconnector&) = delete;
  Reconnector& operator=(const Reconnector&) = delete;
  /// Makes no further attempt.
  ~Reconnector() { stop(); }

  /// The server of the present or the next attempt: "10.0.0.1:7400".
  const std::string& server() const { return servers_[next_server_ % servers_.size()]; }

  /// Makes the first attempt.
  void begin() { open_(); }
  /// Notes that the server answers: the next delay is short again.
  void connected() { backoff_.succeeded(); }
  /// Chooses the next server, and sets the timer for the attempt to connect to it.
  /// was_connected: the server had answered
  /// least_delay:   the server has asked to wait so long
  Failure ended(bool was_connected, Duration least_delay);
  /// Makes the attempt at once that waits for its timer. Does nothing if none waits.
  void hurry();
  /// Cancels the attempt that waits for its timer.
  void stop();

 private:
  Timers& timers_;
  std::vector<std::string> servers_;
  std::function<void()> open_;
  Backoff backoff_;
  AttemptLog log_;
  std::size_t next_server_ = 0;
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::rpc
