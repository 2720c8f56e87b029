#pragma once

#include <algorithm>
#include <optional>

#include "common/time/time.h"

namespace meshdns::federation {

/// Judges how busy the control thread is by how late its timers come. Used by Agents. Pure.
///
/// While the thread is busy, agents are told to send heartbeats less often: the factor grows by a quarter each second
/// that the lateness stays above kBusy, and shrinks by as much after kCalmFor below kCalm. So the load that agents make
/// follows the capacity of this machine, not only the number of agents.
class Load {
 public:
  static constexpr Duration kBusy = 100ms;
  static constexpr Duration kCalm = 20ms;
  static constexpr Duration kGrowEach = 1s;
  static constexpr Duration kCalmFor = 10s;
  static constexpr double kStep = 1.25;
  static constexpr double kMost = 8;

  /// Takes the lateness of a timer that is due every few hundred milliseconds.
  void measured(Duration late, TimePoint now) {
    lateness_ += (late - lateness_) / 4;  // smoothed: one late timer is not load
    if (lateness_ >= kBusy) {
      busy_ = true;
      calm_since_.reset();
      if (!stepped_ || now - *stepped_ >= kGrowEach) step(std::min(kMost, stretch_ * kStep), now);
      return;
    }
    if (lateness_ > kCalm) {
      calm_since_.reset();
      return;
    }
    if (!calm_since_) calm_since_ = now;
    if (now - *calm_since_ < kCalmFor) return;
    calm_since_ = now;
    step(std::max(1.0, stretch_ / kStep), now);
    busy_ = stretch_ > 1;
  }

  /// The factor by which heartbeat intervals are longer than usual; 1 to kMost.
  double stretch() const { return stretch_; }
  /// Returns whether the thread is busy: from the moment that the lateness rises above kBusy until the factor is 1
  /// again.
  bool busy() const { return busy_; }
  Duration lateness() const { return lateness_; }

 private:
  void step(double stretch, TimePoint now) {
    stretch_ = stretch;
    stepped_ = now;
  }

  Duration lateness_{};
  double stretch_ = 1;
  bool busy_ = false;
  std::optional<TimePoint> stepped_;
  std::optional<TimePoint> calm_since_;
};

}  // namespace meshdns::federation
