#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/log/ration.h"
#include "common/rpc/port.h"
#include "common/time/time.h"
#include "dnsd/federation/mirror.h"

namespace meshdns::federation {

using SubscribePort = rpc::Port<v1::WatchRequest>;

/// A replica's side of a Watch stream: says what it holds, takes what comes, acknowledges it lazily (kLazyAck).
/// thread: control
class Follower {
 public:
  struct Events {
    std::function<void()> changed;     // the catalog has a new revision
    std::function<void()> first_word;  // of a stream: the origin lives
  };

  /// How often what was taken is acknowledged: at once if the last word is so long ago, or so many records came since.
  struct AckPace {
    Duration interval = 250ms;
    std::size_t records = 1000;
  };

  /// How long to wait before a set is asked for again that the guard has refused: somebody has to look at it.
  static constexpr Duration kShrinkRetry = 5s;

  /// All that is referred to must outlive it.
  Follower(Mirror& mirror, const Clock& clock, Timers& timers, Events events);
  Follower(Mirror& mirror, const Clock& clock, Timers& timers, Events events, AckPace pace);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower();

  /// Who this replica is, as it says to federations: "us-1/host".
  void set_name(std::string name) { name_ = std::move(name); }
  /// A stream to a federation is open.
  void opened(std::shared_ptr<SubscribePort> port);
  void received(const v1::WatchReply& reply);
  void closed();

  /// The origin has said that it lost its store and learns anew what there is.
  bool origin_recovers() const { return origin_recovers_; }
  /// What its brakes hold back, as it said last.
  const std::vector<v1::Brake>& origin_brakes() const { return origin_brakes_; }
  bool connected() const { return port_ != nullptr && spoken_; }
  /// When the origin was last heard; the start of the process if never.
  TimePoint last_heard() const { return last_heard_; }
  /// What the last Goodbye asked for, or kShrinkRetry.
  Duration retry_after() const { return retry_after_; }

 private:
  void subscribe();
  void on_status(const v1::Status& status);
  void refuse(const Error& why);
  /// returns: false = the stream has to end
  bool take(const v1::Batch& batch);
  /// Refusals go at once, the rest at the pace.
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
  bool comparing_ = false;  // asked for, now that the origin has settled
  bool shrink_told_ = false;
  bool fill_anew_ = false;             // what came did not follow on what we hold
  std::size_t unacknowledged_ = 0;     // records
  std::optional<TimePoint> last_ack_;  // on this stream
  std::optional<TimerId> ack_timer_;
  TimePoint last_heard_;
  Duration retry_after_{};
  log::Ration refused_lines_{"records refused"};
};

}  // namespace meshdns::federation
