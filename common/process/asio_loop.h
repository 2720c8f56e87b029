#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>

#include "common/process/event_loop.h"

namespace meshdns::process {

/// The inside of an EventLoop. Only for .cc files that need the io_context: Asio's headers cost compile time.
struct EventLoop::Asio {
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  TimerId next_timer = 1;
  std::map<TimerId, boost::asio::steady_timer> timers;
};

inline boost::asio::io_context& io_context_of(EventLoop& loop) { return loop.asio().context; }

}  // namespace meshdns::process
