#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "common/time/time.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

class ReportSession;

/// The part of a ReportSession that gRPC's threads may touch. A heartbeat that reports nothing new is only noted here,
/// so that thousands of heartbeats a second cost the control thread next to nothing.
///
/// How it works: after each message the session publishes the content of a heartbeat that needs no work: its epoch and
/// the digest of the node's copy. gRPC's thread compares a heartbeat with that and, if it is equal, notes its time. The
/// control thread takes the notes before it judges which agents are silent. A stream has one outstanding read, and none
/// while the session handles a message, so no heartbeat overtakes a message that is not handled yet.
class Pulse {
 public:
  // ---- thread: control ----

  /// Publishes the content of a heartbeat that the session need not handle.
  void expect(std::uint64_t epoch, std::uint64_t digest) {
    digest_ = digest;
    epoch_ = epoch;
  }
  /// Sends every message to the session until the next expect().
  void expect_nothing() { epoch_ = 0; }
  /// Takes the note.
  /// returns: whether there was one
  bool take() { return noted_.exchange(false); }
  /// Returns when the last noted heartbeat came.
  TimePoint heard() const { return heard_; }
  std::uint64_t sequence() const { return sequence_; }
  void set_sequence(std::uint64_t sequence) { sequence_ = sequence; }

  ReportSession* session = nullptr;  // null = the session has ended

  // ---- thread: gRPC's ----

  /// Notes a heartbeat that reports nothing new.
  /// returns: false = the session has to handle the message
  bool note(const v1::AgentMessage& message, TimePoint now) {
    if (!message.has_heartbeat() || epoch_ == 0 || message.epoch() != epoch_) return false;
    if (message.heartbeat().digest() != digest_ || message.sequence() <= sequence_) return false;
    sequence_ = message.sequence();
    heard_ = now;
    return true;
  }
  /// Marks that there is a note.
  /// returns: whether it is the first one since take()
  bool mark() { return !noted_.exchange(true); }

 private:
  std::atomic<std::uint64_t> epoch_ = 0;
  std::atomic<std::uint64_t> digest_ = 0;
  std::atomic<std::uint64_t> sequence_ = 0;  // of the last message of the session
  std::atomic<TimePoint> heard_{};
  std::atomic<bool> noted_ = false;
};

/// Collects the pulses with a note for the control thread.
/// thread: any
class PulseInbox {
 public:
  /// Notes a message in `pulse` if it is a heartbeat that reports nothing new.
  /// returns: false = the session has to handle the message
  bool note(const std::shared_ptr<Pulse>& pulse, const v1::AgentMessage& message, TimePoint now) {
    if (!pulse->note(message, now)) return false;
    if (!pulse->mark()) return true;
    const std::lock_guard lock(mutex_);
    noted_.push_back(pulse);
    return true;
  }
  /// Returns the pulses that were noted since the last call.
  std::vector<std::shared_ptr<Pulse>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(noted_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Pulse>> noted_;
};

}  // namespace meshdns::federation
