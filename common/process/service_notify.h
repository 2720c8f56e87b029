#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/time/time.h"

namespace meshdns::process {

/// The environment by which the service manager says how it can be reached.
struct NotifyEnvironment {
  std::string socket;   // path, or @name of an abstract socket; empty = there is no service manager
  Duration watchdog{};  // the manager ends the process after such a silence; 0 = never

  /// Reads $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID. A watchdog of another process is ignored.
  static NotifyEnvironment of_process();
};

/// Reports the daemon's state to the service manager (systemd). Without a service manager every call does nothing.
/// thread: the loop's
/// source: sd_notify(3), sd_watchdog_enabled(3)
class ServiceNotify {
 public:
  struct Callbacks {
    std::function<std::string()> status;  // returns one line; called once a second, sent when it has changed
    std::function<bool()> alive;          // called before each sign of life; false = the sign is not sent
  };

  /// `clock` and `timers` must outlive this.
  ServiceNotify(NotifyEnvironment environment, const Clock& clock, Timers& timers);
  ~ServiceNotify();
  ServiceNotify(const ServiceNotify&) = delete;
  ServiceNotify& operator=(const ServiceNotify&) = delete;

  /// Reports that the daemon is ready. From now on status and signs of life are sent by timers.
  void ready(Callbacks callbacks);
  void reload_begins();
  /// result: one line for people, which is the status until that changes
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
