#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

#include "common/base/post.h"
#include "common/time/sim_clock.h"

namespace meshdns::test {

/// A control loop over simulated time, for parts that hand work to other threads. Time passes only in run(), in steps
/// of a millisecond, and only while nothing is posted: a disk that is slow for real makes a test no different.
/// thread: one, except for what is noted
class FakeLoop : public Clock, public Timers {
 public:
  FakeLoop() = default;
  FakeLoop(const FakeLoop&) = delete;
  FakeLoop& operator=(const FakeLoop&) = delete;

  /// thread: any
  TimePoint now() const override { return now_; }
  /// thread: any
  std::int64_t unix_seconds() const override {
    return 1'700'000'000 + std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch()).count();
  }
  TimerId after(Duration delay, std::function<void()> callback) override {
    return timers_.after(delay, std::move(callback));
  }
  void cancel(TimerId id) override { timers_.cancel(id); }

  /// thread: any
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
    changed_.notify_all();
  }
  /// Returns post() as a function. The loop must outlive it.
  Post poster() {
    return [this](std::function<void()> work) { post(std::move(work)); };
  }

  /// Runs what is posted and what falls due, until stop().
  void run() {
    stopped_ = false;
    while (!stopped_) {
      if (auto work = next()) {
        work();
      } else {
        pass(1ms);
      }
    }
  }
  void stop() { stopped_ = true; }
  /// Runs until `done()`.
  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      after(Duration::zero(), [this] { stop(); });
      run();
    }
  }
  /// Runs for so long.
  void run_for(Duration span) {
    after(span, [this] { stop(); });
    run();
  }
  /// What runs now takes so long.
  void take(Duration time) {
    taken_ += time;
    now_ = now_.load() + time;
  }

 private:
  /// The next that is posted. Waits a moment for it, so that other threads are heard while time passes; null = nothing.
  std::function<void()> next() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 100us, [this] { return !posted_.empty(); });
    if (posted_.empty()) return nullptr;
    auto work = std::move(posted_.front());
    posted_.pop_front();
    return work;
  }
  void pass(Duration step) {
    now_ = timers_.now() + taken_ + step;
    timers_.advance(step);
  }

  SimClock timers_;
  Duration taken_{};
  std::atomic<TimePoint> now_{timers_.now()};
  bool stopped_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> posted_;
};

}  // namespace meshdns::test
