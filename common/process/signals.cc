#include "common/process/signals.h"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <utility>

#include "common/process/asio_loop.h"

namespace meshdns::process {

struct Signals::State : std::enable_shared_from_this<State> {
  State(EventLoop& loop, Callbacks given)
      : signals(io_context_of(loop), SIGHUP, SIGTERM, SIGINT), callbacks(std::move(given)) {}

  void wait() {
    signals.async_wait([self = shared_from_this()](const boost::system::error_code& error, int signal) {
      if (error) return;
      self->handle(signal);
      self->wait();
    });
  }

  void handle(int signal) {
    if (signal == SIGHUP) {
      if (callbacks.reload) callbacks.reload();
      return;
    }
    if (std::exchange(terminating, true)) _exit(1);
    if (callbacks.terminate) callbacks.terminate();
  }

  boost::asio::signal_set signals;
  Callbacks callbacks;
  bool terminating = false;
};

Signals::Signals(EventLoop& loop, Callbacks callbacks) : state_(std::make_shared<State>(loop, std::move(callbacks))) {
  std::signal(SIGPIPE, SIG_IGN);
  state_->wait();
}

Signals::~Signals() { state_->signals.cancel(); }

}  // namespace meshdns::process
