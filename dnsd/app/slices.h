#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <utility>

#include "common/time/time.h"

namespace meshdns::dnsd::app {

/// The budget of one turn of a long job: how many records the job may look at before other work gets the control
/// thread.
class Slice {
 public:
  Slice(const Clock& clock, std::size_t steps, Duration time) : clock_(clock), left_(steps), end_(clock.now() + time) {}

  /// Takes `steps` records from the budget. Called before the job looks at them.
  /// returns: false = the slice is over, and the job must not look at them
  bool take(std::size_t steps = 1) {
    if (over()) return false;
    left_ -= steps < left_ ? steps : left_;
    taken_ += steps;
    return true;
  }
  /// Whether the budget is used up. The first step is always allowed, so that a job moves on however slow the machine.
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
    Duration time = 8ms;      // after which a slice ends even with steps left; at least one step is made
    std::size_t jobs = 32;    // under way at once
  };
  /// Looks at records while the slice is not over.
  /// returns: true = the job is done
  using Job = std::function<bool(Slice&)>;

  Slices(const Clock& clock, Timers& timers, Bounds bounds) : clock_(clock), timers_(timers), bounds_(bounds) {}
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;
  /// Drops the jobs that are not done.
  ~Slices();

  /// Runs the first slice of a job, and plans the others if it is not done.
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

}  // namespace meshdns::dnsd::app
