#pragma once

#include <functional>
#include <memory>

#include "common/time/time.h"

namespace meshdns::process {

/// An event loop: one Asio io_context, which runs on the thread that calls run(). In a daemon that is the control
/// thread. Code that needs the io_context itself includes common/process/asio_loop.h.
class EventLoop : public Timers {
 public:
  EventLoop();
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs the loop until stop(). The calling thread becomes the loop's thread.
  void run();
  /// Makes run() return.
  /// thread: any
  void stop();
  /// Makes run() possible again after a stop().
  void restart();
  /// Runs `work` later on the loop's thread, in the order of the calls.
  /// thread: any
  void post(std::function<void()> work);

  /// thread: the loop's, or any before run()
  TimerId after(Duration delay, std::function<void()> callback) override;
  void cancel(TimerId id) override;

  struct Asio;
  Asio& asio() { return *asio_; }

 private:
  std::unique_ptr<Asio> asio_;
};

}  // namespace meshdns::process
