#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/port.h"
#include "common/time/time.h"
#include "dnsd/federation/mirror.h"

namespace meshdns::federation {

using SubscribePort = rpc::Port<v1::WatchRequest>;

/// A replica's side of a Watch stream: says what it holds, takes what comes, acknowledges it.
/// thread: control
class Follower {
 public:
  struct Events {
    std::function<void()> changed;     // the catalog has a new revision
    std::function<void()> first_word;  // of a stream: the origin lives
  };

  /// How long to wait before a set is asked for again that the guard has refused: somebody has to look at it.
  static constexpr Duration kShrinkRetry = 5s;

  Follower(Mirror& mirror, const Clock& clock, Events events);

  /// A stream to a federation is open.
  void opened(std::shared_ptr<SubscribePort> port);
  void received(const v1::WatchReply& reply);
  void closed() { port_.reset(); }

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
  void acknowledge(const std::vector<v1::Nack>& nacks);

  Mirror& mirror_;
  const Clock& clock_;
  Events events_;
  std::shared_ptr<SubscribePort> port_;
  bool spoken_ = false;
  bool origin_recovers_ = false;
  std::vector<v1::Brake> origin_brakes_;
  bool comparing_ = false;  // asked for, now that the origin has settled
  bool shrink_told_ = false;
  bool fill_anew_ = false;  // what came did not follow on what we hold
  TimePoint last_heard_;
  Duration retry_after_{};
};

}  // namespace meshdns::federation
