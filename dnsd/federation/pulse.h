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

/// The part of a session that gRPC's threads see: a heartbeat that says nothing new is only noted, so that thousands of
/// them a second cost the control thread next to nothing.
///
/// How it works: after each message the session publishes what a heartbeat says if nothing is to be done: its epoch and
/// the digest of the copy. A heartbeat that says just that is noted with its time, and the control thread takes the
/// notes before it judges who is silent. A stream has one read outstanding, and none while the session handles a
/// message, so no heartbeat overtakes what the session is about to do.
class Pulse {
 public:
  // ---- thread: control ----

  /// The next heartbeat needs nothing if it says this.
  void expect(std::uint64_t epoch, std::uint64_t digest) {
    digest_ = digest;
    epoch_ = epoch;
  }
  /// Every message goes to the session, until the next expect().
  void expect_nothing() { epoch_ = 0; }
  /// Takes the note. returns: whether there was one
  bool take() { return noted_.exchange(false); }
  /// Returns when the last noted heartbeat came.
  TimePoint heard() const { return heard_; }
  std::uint64_t sequence() const { return sequence_; }
  void set_sequence(std::uint64_t sequence) { sequence_ = sequence; }

  ReportSession* session = nullptr;  // null = it has ended

  // ---- thread: gRPC's ----

  /// Notes a plain heartbeat.
  /// returns: false = the session has to handle the message
  bool note(const v1::AgentMessage& message, TimePoint now) {
    if (!message.has_heartbeat() || epoch_ == 0 || message.epoch() != epoch_) return false;
    if (message.heartbeat().digest() != digest_ || message.sequence() <= sequence_) return false;
    sequence_ = message.sequence();
    heard_ = now;
    return true;
  }
  /// returns: whether the note is the first since take()
  bool mark() { return !noted_.exchange(true); }

 private:
  std::atomic<std::uint64_t> epoch_ = 0;
  std::atomic<std::uint64_t> digest_ = 0;
  std::atomic<std::uint64_t> sequence_ = 0;  // of the last message of the session
  std::atomic<TimePoint> heard_{};
  std::atomic<bool> noted_ = false;
};

/// The pulses that were noted since the control thread looked last. thread: any
class PulseInbox {
 public:
  /// returns: whether the message needs nothing more
  bool note(const std::shared_ptr<Pulse>& pulse, const v1::AgentMessage& message, TimePoint now) {
    if (!pulse->note(message, now)) return false;
    if (!pulse->mark()) return true;
    const std::lock_guard lock(mutex_);
    noted_.push_back(pulse);
    return true;
  }
  std::vector<std::shared_ptr<Pulse>> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(noted_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Pulse>> noted_;
};

}  // namespace meshdns::federation
