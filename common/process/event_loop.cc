#include "common/process/event_loop.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "common/process/asio_loop.h"

namespace meshdns::process {

EventLoop::EventLoop() : asio_(std::make_unique<Asio>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() { asio_->context.run(); }

void EventLoop::stop() { asio_->context.stop(); }

void EventLoop::restart() { asio_->context.restart(); }

void EventLoop::post(std::function<void()> work) { boost::asio::post(asio_->context, std::move(work)); }

TimerId EventLoop::after(Duration delay, std::function<void()> callback) {
  const TimerId id = asio_->next_timer++;
  auto& timer = asio_->timers.try_emplace(id, asio_->context, delay).first->second;
  timer.async_wait([this, id, call = std::move(callback)](const boost::system::error_code& error) {
    if (asio_->timers.erase(id) == 1 && !error) call();
  });
  return id;
}

// A timer may have expired while its handler still waits in the queue. The handler then finds the timer missing in the
// map, and does nothing.
void EventLoop::cancel(TimerId id) { asio_->timers.erase(id); }

}  // namespace meshdns::process
