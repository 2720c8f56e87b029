#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/rpc/port.h"
#include "common/time/time.h"
#include "dnsd/federation/feed.h"

namespace meshdns::federation {

using WatchPort = rpc::Port<EncodedReply>;

/// Counts for metrics.
struct WatchCounters {
  std::uint64_t sessions = 0;
  std::uint64_t deltas = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t bucket_updates = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t nacks = 0;
};

/// One subscriber's stream: brings it from what it holds to the head, and on from there. While a message is being
/// written nothing piles up: the next delta begins where that one ended, so there is one pending version of each key.
/// thread: control
class WatchSession {
 public:
  WatchSession(Feed& feed, WatchCounters& counters, const Clock& clock, std::shared_ptr<WatchPort> port);

  void received(const v1::WatchRequest& request);
  /// The feed has moved on, or a write is done: sends what is due if the line is free.
  void pump();
  /// A node's agent has confirmed what was provisional: who holds it otherwise gets it.
  void confirmed(const std::string& node);
  /// Tells that nothing has changed; called every Watchers::kHeartbeat.
  void heartbeat();
  void goodbye(const std::string& why, Duration retry_after, v1::Goodbye::Reason reason = v1::Goodbye::SHUTTING_DOWN);
  /// Ends the stream at once.
  void cut() { port_->abort(); }

  bool subscribed() const { return subscribed_; }
  bool ended() const { return ended_; }  // goodbye was said
  std::uint64_t acked() const { return acked_; }

 private:
  void subscribe(const v1::Subscribe& subscribe);
  /// The subscriber holds something: a delta or the buckets that differ. False = not of this origin
  bool resume(const v1::Position& held, TimePoint now);
  void send_everything(TimePoint now);
  /// The next batch, if the subscriber lacks something.
  void prepare();
  void send(std::vector<EncodedReply> parts);
  void send_now(EncodedReply reply);

  Feed& feed_;
  WatchCounters& counters_;
  const Clock& clock_;
  std::shared_ptr<WatchPort> port_;
  bool subscribed_ = false;
  bool ended_ = false;
  std::uint64_t sent_ = 0;  // the revision that the subscriber has when all parts are written
  std::uint64_t acked_ = 0;
  bool additive_ = false;            // the last set was: the subscriber may compare anew
  std::vector<bool> differs_;        // the buckets that it may hold otherwise; empty = none
  std::set<std::string> confirmed_;  // nodes of which it has to hear
  std::deque<EncodedReply> parts_;   // of the batch that is on its way
};

}  // namespace meshdns::federation
