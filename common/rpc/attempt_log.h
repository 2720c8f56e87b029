#pragma once

#include <cstddef>

#include "common/time/time.h"

namespace meshdns::rpc {

/// Decides which failed attempts in a row are logged: the first one at each server, then one a minute.
class AttemptLog {
 public:
  static constexpr Duration kInterval = 1min;

  explicit AttemptLog(std::size_t servers) : servers_(servers) {}

  /// Notes that an attempt has failed and that the next one comes after `delay`.
  /// returns: whether the failure shall be logged
  bool failed(Duration delay) {
    waited_ += delay;
    if (++failures_ > servers_ && waited_ < kInterval) return false;
    waited_ = Duration::zero();
    return true;
  }
  /// Notes that there was a connection: the next failure is the first of a new row.
  void succeeded() { *this = AttemptLog(servers_); }

 private:
  std::size_t servers_;
  std::size_t failures_ = 0;
  Duration waited_{};  // since a failure was logged
};

}  // namespace meshdns::rpc
