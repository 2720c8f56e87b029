#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <utility>

#include "common/time/time.h"

namespace meshdns::app {

/// One turn of a long job on the control thread: how much the job may look at before it has to let others have the
/// thread.
class Slice {
 public:
  Slice(const Clock& clock, std::size_t steps, Duration time) : clock_(clock), left_(steps), end_(clock.now() + time) {}

  /// Counts `steps` records that the job is about to look at.
  /// returns: false = the slice is over, the job looks at none
  bool take(std::size_t steps = 1) {
    if (over()) return false;
    left_ -= steps < left_ ? steps : left_;
    taken_ += steps;
    return true;
  }
  bool over() const { return left_ == 0 || (taken_ > 0 && clock_.now() >= end_); }
  std::size_t taken() const { return taken_; }

 private:
  const Clock& clock_;
  std::size_t left_;
  std::size_t taken_ = 0;
  TimePoint end_;
};

/// Runs jobs that look at many records in slices, one slice of a job for each turn of the event loop: heartbeats,
/// health and other calls come in between.
///
/// How it works: the first slice runs inside run(), so that a short job has ended when run() returns. Each further
/// slice is a timer that is due at once; the loop serves everything else that is ready before it. A job keeps its place
/// by key, never by iterator: records come and go between its slices.
/// thread: control
class Slices {
 public:
  struct Bounds {
    std::size_t steps = 512;  // records that one slice looks at
    Duration time = 8ms;      // after which a slice ends earlier; at least one step is made
    std::size_t jobs = 32;    // at once
  };
  /// Looks at records while the slice is not over.
  /// returns: true = the job is done
  using Job = std::function<bool(Slice&)>;

  Slices(const Clock& clock, Timers& timers, Bounds bounds) : clock_(clock), timers_(timers), bounds_(bounds) {}
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;
  /// Jobs that are not done are dropped.
  ~Slices();

  /// returns: false = too many jobs are under way; `job` is not run
  [[nodiscard]] bool run(Job job);
  /// The greatest number of steps that a slice has made so far; for tests.
  std::size_t longest() const { return longest_; }

 private:
  struct Running {
    Job job;
    TimerId timer = 0;
  };
  void go_on(std::list<Running>::iterator at);

  const Clock& clock_;
  Timers& timers_;
  Bounds bounds_;
  std::list<Running> running_;
  std::size_t longest_ = 0;
};

}  // namespace meshdns::app
