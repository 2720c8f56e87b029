#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/time/time.h"

namespace meshdns::process {

/// How the service manager is reached.
struct NotifyEnvironment {
  std::string socket;   // path, or @name of an abstract socket; empty = nobody listens
  Duration watchdog{};  // how long a silence is borne; 0 = any

  /// From $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID; a watchdog over another process is none.
  static NotifyEnvironment of_process();
};

/// Tells the service manager how the daemon is. Where nobody listens, every call does nothing.
/// thread: the loop's
/// source: sd_notify(3), sd_watchdog_enabled(3)
class ServiceNotify {
 public:
  struct Callbacks {
    std::function<std::string()> status;  // one line; asked once a second, sent when it has changed
    std::function<bool()> alive;          // asked before each sign of life; false = none is given
  };

  /// clock and timers outlive it
  ServiceNotify(NotifyEnvironment environment, const Clock& clock, Timers& timers);
  ~ServiceNotify();
  ServiceNotify(const ServiceNotify&) = delete;
  ServiceNotify& operator=(const ServiceNotify&) = delete;

  /// The daemon serves: from now on status and signs of life follow on their own.
  void ready(Callbacks callbacks);
  void reload_begins();
  /// result: one line for people, shown until the status changes
  void reload_ended(std::string_view result);
  void stopping();

 private:
  void send(const std::string& message) const;
  void refresh_status();
  void give_sign_of_life();
  void cancel_timers();

  NotifyEnvironment environment_;
  const Clock& clock_;
  Timers& timers_;
  int socket_ = -1;
  Callbacks callbacks_;
  std::string last_status_;
  std::optional<TimerId> status_timer_;
  std::optional<TimerId> watchdog_timer_;
};

}  // namespace meshdns::process
