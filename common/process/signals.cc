#include "common/process/signals.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "common/log/log.h"

namespace meshdns::process {
namespace {

constexpr std::array kEnds = {SIGTERM, SIGINT};

sigset_t ends() {
  sigset_t out;
  sigemptyset(&out);
  for (const int number : kEnds) sigaddset(&out, number);
  return out;
}

sigset_t all() {
  sigset_t out = ends();
  sigaddset(&out, SIGHUP);
  return out;
}

timespec timespec_of(Duration duration) {
  return {static_cast<time_t>(duration / 1s), static_cast<long>((duration % 1s).count())};
}

[[noreturn]] void end_process(std::string_view why) {
  log::error("ended without an orderly stop", {{"reason", why}});
  log::end_thread();
  ::_exit(1);
}

}  // namespace

/// The state shared by the thread and the owner; lives until both are gone.
struct Signals::State {
  State(EventLoop& the_loop, Callbacks the_callbacks) : loop(&the_loop), callbacks(std::move(the_callbacks)) {}

  /// Runs one of the callbacks on the loop, unless the owner is gone.
  static void call(const std::shared_ptr<State>& self, std::function<void()> Callbacks::*which) {
    const std::lock_guard lock(self->mutex);
    if (self->loop == nullptr) return;
    self->loop->post([self, which] {
      // This runs on the loop's thread, which also destroys the owner: so the owner cannot go between check and call.
      const bool gone = [&] {
        const std::lock_guard inner(self->mutex);
        return self->loop == nullptr;
      }();
      if (!gone && self->callbacks.*which) (self->callbacks.*which)();
    });
  }

  static void run(const std::shared_ptr<State>& self, Duration stop_within) {
    const sigset_t wanted = all();
    for (int number = 0; number == 0 || number == SIGHUP;) {
      if (::sigwait(&wanted, &number) != 0) return;
      call(self, number == SIGHUP ? &Callbacks::reload : &Callbacks::terminate);
    }
    const sigset_t second = ends();
    const timespec patience = timespec_of(stop_within);
    int number = 0;
    do {
      number = ::sigtimedwait(&second, nullptr, &patience);
    } while (number < 0 && errno == EINTR);
    end_process(number < 0 ? "stopping takes too long" : "a second signal");
  }

  std::mutex mutex;
  EventLoop* loop;  // null = the owner is gone
  const Callbacks callbacks;
};

void hold_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  const sigset_t held = all();
  ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

void release_signals() {
  const sigset_t held = all();
  ::pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
}

Result<std::unique_ptr<Signals>> Signals::start(EventLoop& loop, Callbacks callbacks, Duration stop_within) {
  auto state = std::make_shared<State>(loop, std::move(callbacks));
  try {
    std::thread([state, stop_within] { State::run(state, stop_within); }).detach();
  } catch (const std::system_error& error) {
    return Error(Code::Unavailable, std::string("the system gives no thread for signals: ") + error.what());
  }
  return std::unique_ptr<Signals>(new Signals(std::move(state)));
}

Signals::~Signals() {
  const std::lock_guard lock(state_->mutex);
  state_->loop = nullptr;
}

}  // namespace meshdns::process
