#include "agent/probes/listeners.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <iterator>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "agent/probes/listener_dump.h"
#include "common/net/fd.h"
#include "common/process/asio_loop.h"

namespace meshdns::probes {
namespace {

constexpr std::size_t kBuffer = 32UL * 1024;  // the kernel fills so much at a time (netlink_dump in af_netlink.c)

struct Question {
  Family family = Family::V4;
  Protocol protocol = Protocol::Tcp;
};

/// What a list has: a socket at an expected port.
using Socket = std::pair<Protocol, SocketAddress>;

}  // namespace

struct Listeners::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& l, Appeared call, std::function<void()> after, Duration every)
      : loop(l), appeared(std::move(call)), told(std::move(after)), interval(every) {}

  void expect(std::set<ExpectedPort> next) {
    const bool more = !std::ranges::includes(ports, next);
    ports = std::move(next);
    std::erase_if(compared, [this](const ExpectedPort& port) { return !ports.contains(port); });
    if (ports.empty()) return close();
    if (more && timer) plan(Duration::zero());
    if (!timer && !stream) plan(Duration::zero());
  }

  void close() {
    if (timer) loop.cancel(*timer);
    timer.reset();
    stream.reset();
    questions.clear();
    known.clear();
    compared.clear();
    problem.clear();
  }

  void plan(Duration delay) {
    if (timer) loop.cancel(*timer);
    timer = loop.after(delay, [this] {
      timer.reset();
      begin();
    });
  }

  /// Begins to read the lists, one question after the other.
  void begin() {
    listed.clear();
    asked_for = ports;
    questions.clear();
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      const bool expected = std::ranges::any_of(ports, [&](const auto& port) { return port.protocol == protocol; });
      if (!expected) continue;
      for (const Family family : {Family::V4, Family::V6}) questions.push_back({family, protocol});
    }
    const int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
    if (descriptor < 0) return end(errno);
    stream.emplace(process::io_context_of(loop), descriptor);
    ask();
  }

  void ask() {
    const auto request = dump_request(questions.back().family, questions.back().protocol, ++sequence);
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = sendto(stream->native_handle(), request.data(), request.size(), 0,
                                reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent < 0) return end(errno);
    wait();
  }

  void wait() {
    stream->async_wait(boost::asio::posix::descriptor_base::wait_read,
                       [weak = weak_from_this(), number = sequence](const boost::system::error_code& error) {
                         const auto self = weak.lock();
                         if (error || !self || !self->stream || number != self->sequence) return;
                         self->read_one();
                       });
  }

  /// Reads one part of a list, so that other work of the loop gets its turn between two.
  void read_one() {
    std::vector<std::byte> buffer(kBuffer);
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = recvfrom(stream->native_handle(), buffer.data(), buffer.size(), 0,
                                  reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return wait();
    if (size < 0) return end(errno);
    if (from.nl_pid != 0) return wait();  // another process may send to this socket
    const DumpPart part = read_dump(std::span(buffer).first(static_cast<std::size_t>(size)), sequence);
    for (const SocketAddress& where : part.sockets) {
      if (asked_for.contains({questions.back().protocol, where.port})) listed.emplace(questions.back().protocol, where);
    }
    if (!part.done) return wait();
    // ENOENT: the kernel has no such protocol or family, so nothing can appear there
    if (part.error != 0 && part.error != ENOENT) return end(part.error);
    questions.pop_back();
    if (!questions.empty()) return ask();
    end(0);
  }

  void end(int error) {
    stream.reset();
    if (error != 0) {
      problem = "netlink sock_diag: " + std::generic_category().message(error);
      plan(interval);
      return told();
    }
    problem.clear();
    std::vector<SocketAddress> fresh;
    for (const auto& [protocol, where] : listed) {
      if (compared.contains({protocol, where.port}) && !known.contains({protocol, where})) fresh.push_back(where);
    }
    known = std::move(listed);
    std::set<ExpectedPort> both;
    std::ranges::set_intersection(asked_for, ports, std::inserter(both, both.end()));
    compared = std::move(both);
    const bool all = compared == ports;
    plan(all ? interval : Duration::zero());
    const auto self = shared_from_this();  // the calls may destroy the owner
    told();
    for (const SocketAddress& where : fresh) appeared(where);
  }

  process::EventLoop& loop;
  Appeared appeared;
  std::function<void()> told;
  Duration interval;
  std::set<ExpectedPort> ports;
  std::set<ExpectedPort> asked_for;  // the ports when the list was begun
  std::set<ExpectedPort> compared;   // ports of the last list: a socket that is not in `known` has appeared
  std::set<Socket> known;            // in the last list
  std::set<Socket> listed;           // in the list that is being read
  std::vector<Question> questions;   // the last one is being answered
  std::uint32_t sequence = 0;
  std::optional<boost::asio::posix::stream_descriptor> stream;  // while a list is read
  std::optional<TimerId> timer;
  std::string problem;
};

Listeners::Listeners(process::EventLoop& loop, Appeared appeared, std::function<void()> listed, Duration interval)
    : state_(std::make_shared<State>(loop, std::move(appeared), std::move(listed), interval)) {}

Listeners::~Listeners() { state_->close(); }

void Listeners::expect(std::set<ExpectedPort> ports) { state_->expect(std::move(ports)); }

const std::string& Listeners::problem() const { return state_->problem; }

}  // namespace meshdns::probes
