#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/log/ration.h"
#include "common/rpc/clamped_durations.h"
#include "common/rpc/port.h"
#include "common/time/time.h"
#include "dnsd/federation/mirror.h"

namespace meshdns::federation {

using SubscribePort = rpc::Port<v1::WatchRequest>;

/// A replica's side of the Watch stream: reports what the mirror holds, hands batches to the mirror, acknowledges them
/// lazily (kLazyAck). Used by WatchClient, which connects and reconnects.
/// thread: control
class Follower {
 public:
  struct Events {
    std::function<void()> changed;     // the catalog has a new revision
    std::function<void()> first_word;  // the first message of a stream has come: the origin lives
  };

  /// The pace of acknowledgements: one is sent at once if the last one is longer ago than `interval`, or if `records`
  /// records came since; otherwise a timer sends it.
  struct AckPace {
    Duration interval = 250ms;
    std::size_t records = 1000;
  };

  /// The time after which a replica asks again for a set that the guard has refused. Long, because an operator has to
  /// decide.
  static constexpr Duration kShrinkRetry = 5s;

  /// The mirror, the clock and the timers must outlive this.
  Follower(Mirror& mirror, const Clock& clock, Timers& timers, Events events);
  Follower(Mirror& mirror, const Clock& clock, Timers& timers, Events events, AckPace pace);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower();

  /// Sets the name that this replica reports to federations, like "us-1/host".
  void set_name(std::string name) { name_ = std::move(name); }
  /// Subscribes on a new stream to a federation.
  void opened(std::shared_ptr<SubscribePort> port);
  void received(const v1::WatchReply& reply);
  void closed();

  /// Returns whether the origin reports that it is recovering from the loss of its store.
  bool origin_recovers() const { return origin_recovers_; }
  /// The origin's closed brakes, as in its last status.
  const std::vector<v1::Brake>& origin_brakes() const { return origin_brakes_; }
  bool connected() const { return port_ != nullptr && spoken_; }
  /// Returns when the origin was last heard; the start of the process if never.
  TimePoint last_heard() const { return last_heard_; }
  /// The time to wait before the next attempt: as the last Goodbye asked, or kShrinkRetry.
  Duration retry_after() const { return retry_after_; }
  /// The number of durations of federations that were out of bounds, for which the bound counted.
  std::uint64_t clamped() const { return clamped_.count(); }

 private:
  void subscribe();
  void on_status(const v1::Status& status);
  void refuse(const Error& why);
  /// Hands one part to the mirror and acknowledges a complete batch.
  /// returns: false = the stream has to end
  bool take(const v1::Batch& batch);
  /// Acknowledges at once if records were refused, otherwise at the pace.
  void acknowledge(const std::vector<v1::Nack>& nacks);
  void send_ack(const std::vector<v1::Nack>& nacks);
  void cancel_ack();

  Mirror& mirror_;
  const Clock& clock_;
  Timers& timers_;
  Events events_;
  AckPace pace_;
  std::string name_;
  std::shared_ptr<SubscribePort> port_;
  bool spoken_ = false;
  bool origin_recovers_ = false;
  std::vector<v1::Brake> origin_brakes_;
  bool comparing_ = false;  // has subscribed again to compare, after the origin had settled
  bool shrink_told_ = false;
  bool fill_anew_ = false;             // the next Subscribe asks for a snapshot
  std::size_t unacknowledged_ = 0;     // records
  std::optional<TimePoint> last_ack_;  // on this stream
  std::optional<TimerId> ack_timer_;
  TimePoint last_heard_;
  Duration retry_after_{};
  rpc::ClampedDurations clamped_;
  log::Ration refused_lines_{"records refused"};
};

}  // namespace meshdns::federation
