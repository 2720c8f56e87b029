// What 10,000 TCP checks cost without an agent: connects to many addresses in turn, and closes each connection.
//
//   bare_checks listen                            listens at a free port of every address, and prints it; accepts and
//   closes bare_checks check PORT COUNT INTERVAL_MS      connects to 127.1.0.0 + i for each i < COUNT, once in each
//   interval
//
// Both run until they are killed. `check` does what cannot be left out of a TCP check: socket, connect, wait, ask for
// the error, close with RST. It has one epoll, no timers, no objects, and no timeout.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kFirst = 0x7f010000;  // 127.1.0.0
constexpr int kBacklog = 4096;
constexpr int kEvents = 512;

sockaddr_in address(std::uint32_t ip, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(ip);
  out.sin_port = htons(port);
  return out;
}

void close_with_reset(int descriptor) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(descriptor);
}

int fail(const char* what) {
  std::perror(what);
  return 1;
}

int listen_everywhere() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in here = address(INADDR_ANY, 0);
  socklen_t size = sizeof here;
  if (bind(descriptor, reinterpret_cast<sockaddr*>(&here), size) != 0 || listen(descriptor, kBacklog) != 0) {
    return fail("listen");
  }
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&here), &size);
  std::printf("%u\n", ntohs(here.sin_port));
  std::fflush(stdout);
  while (true) {
    const int taken = accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    if (taken >= 0) close(taken);
  }
}

void begin(int epoll, std::uint32_t ip, std::uint16_t port) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_in to = address(ip, port);
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    close(descriptor);
    return;
  }
  epoll_event event{.events = EPOLLOUT, .data = {.fd = descriptor}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

void end(int descriptor) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) std::fprintf(stderr, "connect: %d\n", error);
  close_with_reset(descriptor);
}

int check(std::uint16_t port, std::uint32_t count, std::chrono::nanoseconds interval) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const auto pace = interval / count;
  auto due = Clock::now();
  for (std::uint32_t next = 0;;) {
    for (const auto now = Clock::now(); due <= now; due += pace) {
      begin(epoll, kFirst + next, port);
      next = (next + 1) % count;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - Clock::now()).count();
    std::array<epoll_event, kEvents> events;
    const int ready = epoll_wait(epoll, events.data(), kEvents, static_cast<int>(std::max<std::int64_t>(left, 0)));
    for (int i = 0; i < ready; ++i) end(events.at(static_cast<std::size_t>(i)).data.fd);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "listen" && argc == 2) return listen_everywhere();
  if (verb == "check" && argc == 5) {
    const auto number = [&](int i) { return static_cast<std::uint32_t>(std::strtoul(argv[i], nullptr, 10)); };
    if (number(3) > 0 && number(4) > 0) {
      return check(static_cast<std::uint16_t>(number(2)), number(3), std::chrono::milliseconds(number(4)));
    }
  }
  std::fputs("usage: bare_checks listen | check PORT COUNT INTERVAL_MS\n", stderr);
  return 2;
}
