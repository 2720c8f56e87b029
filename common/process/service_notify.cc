#include "common/process/service_notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"

namespace meshdns::process {
namespace {

constexpr Duration kStatusInterval = 1s;
constexpr timeval kSendPatience{0, 200'000};  // a manager that does not read must not hold the daemon up

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string single_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '\n', ' ');
  return printable(out);
}

}  // namespace

NotifyEnvironment NotifyEnvironment::of_process() {
  NotifyEnvironment out{variable("NOTIFY_SOCKET"), {}};
  const std::string pid = variable("WATCHDOG_PID");
  if (!pid.empty() && pid != std::to_string(::getpid())) return out;
  const auto usec = parse_uint(variable("WATCHDOG_USEC"));
  if (usec && *usec <= 1'000'000ULL * 86'400 * 365) out.watchdog = std::chrono::microseconds(*usec);
  return out;
}

ServiceNotify::ServiceNotify(NotifyEnvironment environment, const Clock& clock, Timers& timers)
    : environment_(std::move(environment)), clock_(clock), timers_(timers) {
  if (environment_.socket.empty() || environment_.socket.size() >= sizeof(sockaddr_un::sun_path)) return;
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ >= 0) ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &kSendPatience, sizeof kSendPatience);
}

ServiceNotify::~ServiceNotify() {
  cancel_timers();
  if (socket_ >= 0) ::close(socket_);
}

void ServiceNotify::send(const std::string& message) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::ranges::copy(environment_.socket, address.sun_path);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + environment_.socket.size());
  // Errors are ignored: the next change of the status, or the next sign of life, makes up for a lost message. After a
  // lost READY the manager's start timeout ends the daemon.
  (void)::sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
                 size);
}

void ServiceNotify::ready(Callbacks callbacks) {
  if (socket_ < 0) return;
  callbacks_ = std::move(callbacks);
  last_status_ = single_line(callbacks_.status());
  send("READY=1\nSTATUS=" + last_status_);
  status_timer_ = timers_.after(kStatusInterval, [this] { refresh_status(); });
  if (environment_.watchdog > Duration::zero()) {
    watchdog_timer_ = timers_.after(environment_.watchdog / 2, [this] { give_sign_of_life(); });
  }
}

void ServiceNotify::refresh_status() {
  std::string status = single_line(callbacks_.status());
  if (status != last_status_) {
    last_status_ = std::move(status);
    send("STATUS=" + last_status_);
  }
  status_timer_ = timers_.after(kStatusInterval, [this] { refresh_status(); });
}

void ServiceNotify::give_sign_of_life() {
  if (callbacks_.alive()) send("WATCHDOG=1");
  watchdog_timer_ = timers_.after(environment_.watchdog / 2, [this] { give_sign_of_life(); });
}

void ServiceNotify::reload_begins() {
  if (socket_ < 0) return;
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(clock_.now().time_since_epoch()).count();
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now) + "\nSTATUS=reloading");
}

void ServiceNotify::reload_ended(std::string_view result) {
  if (socket_ >= 0) send("READY=1\nSTATUS=" + single_line(result));
}

void ServiceNotify::stopping() {
  if (socket_ < 0) return;
  cancel_timers();
  send("STOPPING=1\nSTATUS=stopping");
}

void ServiceNotify::cancel_timers() {
  if (status_timer_) timers_.cancel(*std::exchange(status_timer_, {}));
  if (watchdog_timer_) timers_.cancel(*std::exchange(watchdog_timer_, {}));
}

}  // namespace meshdns::process
