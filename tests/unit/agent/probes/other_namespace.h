#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>

namespace meshdns::probes {

/// A process in a network namespace of its own, with one IPv4 address on the loopback interface. It listens at TCP port
/// 8080 and at UDP ports 53 and 54 of any address. It ends with this object.
class OtherNamespace {
 public:
  static constexpr std::uint16_t kTcp = 8080;
  static constexpr std::uint16_t kUdp = 53;
  static constexpr std::uint16_t kOtherUdp = 54;
  static constexpr std::uint16_t kLater = 8081;

  explicit OtherNamespace(const char* address) {
    std::array<int, 2> orders{}, answers{};
    if (pipe(orders.data()) != 0 || pipe(answers.data()) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      close(orders[1]);
      close(answers[0]);
      run(address, orders[0], answers[1]);
    }
    close(orders[0]);
    close(answers[1]);
    orders_ = orders[1];
    answers_ = answers[0];
    usable_ = wait_for_answer();
  }
  OtherNamespace(const OtherNamespace&) = delete;
  OtherNamespace& operator=(const OtherNamespace&) = delete;
  ~OtherNamespace() {
    kill();
    if (another_ > 0) ::kill(another_, SIGKILL);  // it is reaped by init or by a subreaper
    close(orders_);
    close(answers_);
  }

  /// false = namespaces cannot be made here
  bool usable() const { return usable_; }
  pid_t process() const { return process_; }
  /// Closes its TCP listener, or one of its UDP sockets.
  void close_port(std::uint16_t port) {
    const char order = port == kTcp ? 't' : port == kUdp ? 'u' : 'o';
    if (write(orders_, &order, 1) == 1) wait_for_answer();
  }
  /// Listens at the TCP port kLater too.
  void open_later() {
    if (write(orders_, "l", 1) == 1) wait_for_answer();
  }
  /// Begins another process in its namespace, without sockets. It ends with this object too.
  bool fork_another() {
    const char order = 'f';
    return write(orders_, &order, 1) == 1 && wait_for_answer() && read(answers_, &another_, sizeof another_) > 0;
  }
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = -1;
  }

 private:
  bool wait_for_answer() const {
    char answer = 0;
    return read(answers_, &answer, 1) == 1 && answer == 'y';
  }

  /// Runs in the process of the namespace. Only calls that are safe after fork(2) in a process with threads.
  [[noreturn]] static void run(const char* address, int orders, int answers) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool good = unshare(CLONE_NEWNET) == 0 && set_address(address);
    const int tcp = open_port(SOCK_STREAM, kTcp);
    const int udp = open_port(SOCK_DGRAM, kUdp);
    const int other = open_port(SOCK_DGRAM, kOtherUdp);
    good = good && tcp >= 0 && udp >= 0 && other >= 0 && listen(tcp, 1) == 0;
    char order = 0;
    do {
      if (order == 't') close(tcp);
      if (order == 'u') close(udp);
      if (order == 'o') close(other);
      if (order == 'l') good = listen(open_port(SOCK_STREAM, kLater), 1) == 0;
      const pid_t another = order == 'f' ? fork() : 0;
      if (order == 'f' && another == 0) stay();
      const char answer = good ? 'y' : 'n';
      if (write(answers, &answer, 1) != 1) break;
      if (order == 'f' && write(answers, &another, sizeof another) < 0) break;
    } while (read(orders, &order, 1) == 1);
    _exit(0);
  }

  /// Waits to be killed, without the sockets of the first process.
  [[noreturn]] static void stay() {
    for (int descriptor = 3; descriptor < 1024; ++descriptor) close(descriptor);
    alarm(300);  // ends it if the test could not
    pause();
    _exit(0);
  }

  static bool set_address(const char* address) {
    const int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
    auto& to = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
    to.sin_family = AF_INET;
    inet_pton(AF_INET, address, &to.sin_addr);
    const bool set = ioctl(control, SIOCSIFADDR, &request) == 0;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const bool up = ioctl(control, SIOCSIFFLAGS, &request) == 0;
    close(control);
    return set && up;
  }

  static int open_port(int type, std::uint16_t port) {
    const int out = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    return bind(out, reinterpret_cast<sockaddr*>(&where), sizeof where) == 0 ? out : -1;
  }

  pid_t process_ = -1;
  pid_t another_ = -1;
  int orders_ = -1;
  int answers_ = -1;
  bool usable_ = false;
};

}  // namespace meshdns::probes
