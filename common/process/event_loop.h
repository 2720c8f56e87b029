#pragma once

#include <functional>
#include <memory>

#include "common/time/time.h"

namespace meshdns::process {

/// One Asio io_context and its thread (whoever calls run()). The control thread of a daemon.
/// Code of the rim that needs the io_context itself includes common/process/asio_loop.h.
class EventLoop : public Timers {
 public:
  EventLoop();
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Until stop(). thread: the loop's
  void run();
  /// thread: any
  void stop();
  /// After a stop(), before the next run().
  void restart();
  /// Runs `work` later on the loop's thread, in order of posting. thread: any
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
