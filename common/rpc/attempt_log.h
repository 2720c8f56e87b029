#pragma once

#include <cstddef>

#include "common/time/time.h"

namespace meshdns::rpc {

/// Decides which failed attempts of a row are told: the first one at each server, and then one a minute.
class AttemptLog {
 public:
  static constexpr Duration kInterval = 1min;

  explicit AttemptLog(std::size_t servers) : servers_(servers) {}

  /// An attempt has failed, and the next one comes after `delay`. returns: whether the failure is to be told
  bool failed(Duration delay) {
    waited_ += delay;
    if (++failures_ > servers_ && waited_ < kInterval) return false;
    waited_ = Duration::zero();
    return true;
  }
  /// There was a connection.
  void succeeded() { *this = AttemptLog(servers_); }

 private:
  std::size_t servers_;
  std::size_t failures_ = 0;
  Duration waited_{};  // since a failure was told
};

}  // namespace meshdns::rpc
