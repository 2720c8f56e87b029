#include "agent/probes/address_events.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

constexpr std::uint32_t kGroups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;

Error failed() {
  const int number = errno;
  const bool denied = number == EPERM || number == EACCES;
  return {denied ? Code::PermissionDenied : Code::Unimplemented,
          "rtnetlink: " + std::generic_category().message(number)};
}

Result<int> open_socket() {
  const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
  if (descriptor < 0) return failed();
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kGroups;
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return descriptor;
  const auto error = failed();
  ::close(descriptor);
  return error;
}

}  // namespace

struct AddressEvents::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& event_loop, const Clock& the_clock, int descriptor, std::function<void()> call)
      : loop(event_loop),
        clock(the_clock),
        stream(process::io_context_of(event_loop), descriptor),
        changed(std::move(call)) {}

  void wait() {
    stream.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (error || !self->stream.is_open()) return;
                        if (self->read_all()) self->note();
                        self->wait();
                      });
  }

  /// Empties the socket without reading the messages: the receiver looks at all addresses again anyway. Lost messages
  /// (ENOBUFS) are a change too.
  /// returns: whether there was a change
  bool read_all() {
    std::array<std::byte, 8192> buffer;
    bool any = false;
    for (;;) {
      const ssize_t size = ::recv(stream.native_handle(), buffer.data(), buffer.size(), 0);
      if (size > 0 || (size < 0 && errno == ENOBUFS)) {
        any = true;
      } else if (size == 0 || errno != EINTR) {
        return any;
      }
    }
  }

  void note() {
    const TimePoint now = clock.now();
    if (!first) first = now;
    if (timer) loop.cancel(*timer);
    timer = loop.after(std::min(kCalm, std::max(Duration::zero(), *first + kLongest - now)), [this] {
      timer.reset();
      first.reset();
      changed();
    });
  }

  void stop() {
    if (timer) loop.cancel(*timer);
    stream.close();
  }

  process::EventLoop& loop;
  const Clock& clock;
  boost::asio::posix::stream_descriptor stream;
  std::function<void()> changed;
  std::optional<TimerId> timer;
  std::optional<TimePoint> first;  // time of the burst's first change
};

AddressEvents::AddressEvents(std::shared_ptr<State> state) : state_(std::move(state)) {}

AddressEvents::~AddressEvents() { state_->stop(); }

Result<std::unique_ptr<AddressEvents>> AddressEvents::open(process::EventLoop& loop, const Clock& clock,
                                                           std::function<void()> changed) {
  const auto descriptor = open_socket();
  if (!descriptor) return descriptor.error();
  auto state = std::make_shared<State>(loop, clock, *descriptor, std::move(changed));
  state->wait();
  return std::unique_ptr<AddressEvents>(new AddressEvents(std::move(state)));
}

}  // namespace meshdns::probes
