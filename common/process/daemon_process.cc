#include "common/process/daemon_process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "common/base/text.h"
#include "common/log/log.h"
#include "common/process/signals.h"

namespace meshdns::process {
namespace {

// Blocks SIGHUP before main(). The constructors of libraries take ten milliseconds and more, and a reload during that
// time would end the process by the signal's default action. Uses a bare system call, because neither libc nor the
// sanitizers are ready when this runs.
__attribute__((no_sanitize("address", "thread", "undefined"))) void hold_reloads() {
  const unsigned long reload = 1UL << (SIGHUP - 1);
  ::syscall(SYS_rt_sigprocmask, SIG_BLOCK, &reload, nullptr, sizeof reload);
}

// The dynamic linker calls the functions of this section before all constructors.
[[gnu::section(".preinit_array"), gnu::used]] void (*const kBeforeAll)() = hold_reloads;

[[noreturn]] void end_failed(const char* why) {
  log::error("process failed", {{"error", why}});
  log::end_thread();
  ::_exit(kFailed);
}

/// Ends the process after an uncaught exception. Missing threads, descriptors or memory are not a fault of the program,
/// so they need no core dump.
[[noreturn]] void end_uncaught() {
  if (const std::exception_ptr exception = std::current_exception()) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::system_error& error) {
      end_failed(error.what());
    } catch (const std::bad_alloc&) {
      end_failed("out of memory");
    } catch (...) {  // a bug: abort, so that a core dump shows where
    }
  }
  std::abort();
}

bool threads_can_be_had(std::size_t count) {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::vector<std::thread> threads;
  bool all = true;
  try {
    while (threads.size() < count) {
      threads.emplace_back([&] {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return over; });
      });
    }
  } catch (const std::system_error&) {
    all = false;
  }
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  changed.notify_all();
  for (std::thread& thread : threads) thread.join();
  return all;
}

bool descriptors_can_be_had(std::size_t count) {
  std::vector<int> descriptors;
  while (descriptors.size() < count) {
    const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) break;
    descriptors.push_back(descriptor);
  }
  for (const int descriptor : descriptors) ::close(descriptor);
  return descriptors.size() == count;
}

}  // namespace

void prepare_daemon() {
  hold_signals();
  std::set_terminate(end_uncaught);
}

Result<void> check_room(std::size_t threads, std::size_t descriptors) {
  const auto missing = [](const char* what, std::size_t count, const char* hint) {
    return Error(Code::ResourceExhausted,
                 "the system does not give " + std::to_string(count) + " " + what + " (" + hint + ")");
  };
  if (!descriptors_can_be_had(descriptors)) return missing("file descriptors", descriptors, "ulimit -n, LimitNOFILE=");
  if (!threads_can_be_had(threads)) return missing("threads", threads, "ulimit -u, LimitNPROC=, TasksMax=");
  return {};
}

int wrong_config(std::string_view problems) {
  const std::string_view text = trim(problems);
  std::cerr << text << "\n" << counted(split(text, '\n').size(), "error") << "\n";
  return kWrongUsage;
}

int cannot_start(const Error& error) {
  log::error("cannot start", {{"error", error}});
  return kFailed;
}

int run_daemon(const std::function<int()>& run) {
  if (const auto started = log::start_thread(); !started) return cannot_start(started.error());
  int code = kFailed;
  try {
    code = run();
  } catch (const std::exception& error) {
    // End without running destructors: they may wait for threads that have failed too.
    end_failed(error.what());
  }
  log::end_thread();
  return code;
}

}  // namespace meshdns::process
