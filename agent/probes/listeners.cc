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

std::string text_of(int error) { return "netlink sock_diag: " + std::generic_category().message(error); }

/// What a list has: a socket at an expected port.
using Socket = std::pair<Protocol, SocketAddress>;

}  // namespace

struct Listeners::State : std::enable_shared_from_this<State> {
  State(process::EventLoop& l, Appeared call, std::function<void()> after, Duration every)
      : loop(l), appeared(std::move(call)), told(std::move(after)), interval(every) {}

  void open(int descriptor) { stream.emplace(process::io_context_of(loop), descriptor); }

  void expect(std::set<ExpectedPort> next) {
    const bool more = !std::ranges::includes(ports, next);
    ports = std::move(next);
    std::erase_if(compared, [this](const ExpectedPort& port) { return !ports.contains(port); });
    if (ports.empty()) return rest();
    if (more && !reading) plan(Duration::zero());
  }

  /// Waits for ports. A list that is being read goes on, because a socket can be asked for one list at a time.
  void rest() {
    if (timer) loop.cancel(*timer);
    timer.reset();
    known.clear();
    compared.clear();
    problem.clear();
  }

  void stop() {
    rest();
    stream.reset();
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
    reading = true;
    listed.clear();
    asked_for = ports;
    questions.clear();
    for (const Protocol protocol : {Protocol::Tcp, Protocol::Udp}) {
      const bool expected = std::ranges::any_of(ports, [&](const auto& port) { return port.protocol == protocol; });
      if (!expected) continue;
      for (const Family family : {Family::V4, Family::V6}) questions.push_back({family, protocol});
    }
    if (!stream) {
      auto descriptor = connect();
      if (!descriptor) return end(descriptor.error().message());
      open(descriptor->release());
    }
    ask();
  }

  void ask() {
    const auto request = dump_request(questions.back().family, questions.back().protocol, ++sequence);
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = sendto(stream->native_handle(), request.data(), request.size(), 0,
                                reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent < 0) return end(text_of(errno));
    wait();
  }

  void wait() {
    stream->async_wait(boost::asio::posix::descriptor_base::wait_read,
                       [weak = weak_from_this()](const boost::system::error_code& error) {
                         const auto self = weak.lock();
                         if (!error && self && self->stream && self->reading) self->read_one();
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
    if (size < 0) return end(text_of(errno));
    if (from.nl_pid != 0) return wait();  // another process may send to this socket
    const DumpPart part = read_dump(std::span(buffer).first(static_cast<std::size_t>(size)), sequence);
    for (const SocketAddress& where : part.sockets) {
      if (asked_for.contains({questions.back().protocol, where.port})) listed.emplace(questions.back().protocol, where);
    }
    if (!part.done) return wait();
    // ENOENT: the kernel has no such protocol or family, so nothing can appear there
    if (part.error != 0 && part.error != ENOENT) return end(text_of(part.error));
    questions.pop_back();
    if (!questions.empty()) return ask();
    end("");
  }

  /// why: why the list could not be read; empty = it could
  void end(std::string why) {
    reading = false;
    if (!is_kept) stream.reset();
    if (ports.empty()) return;
    problem = std::move(why);
    const auto self = shared_from_this();  // the calls may destroy the owner
    if (!problem.empty()) {
      plan(interval);
      return told();
    }
    const auto fresh = compare();
    plan(compared == ports ? interval : Duration::zero());  // at once for ports that were added meanwhile
    told();
    for (const SocketAddress& where : fresh) appeared(where);
  }

  /// Makes the list the last one.
  /// returns: what it has, and the one before did not have
  std::vector<SocketAddress> compare() {
    std::vector<SocketAddress> fresh;
    for (const auto& [protocol, where] : listed) {
      if (compared.contains({protocol, where.port}) && !known.contains({protocol, where})) fresh.push_back(where);
    }
    known = std::move(listed);
    compared.clear();
    std::ranges::set_intersection(asked_for, ports, std::inserter(compared, compared.end()));
    return fresh;
  }

  process::EventLoop& loop;
  Appeared appeared;
  std::function<void()> told;
  Duration interval;
  bool is_kept = false;  // the socket, because it is another namespace's
  std::set<ExpectedPort> ports;
  std::set<ExpectedPort> asked_for;  // the ports when the list was begun
  std::set<ExpectedPort> compared;   // ports of the last list: a socket that is not in `known` has appeared
  std::set<Socket> known;            // in the last list
  std::set<Socket> listed;           // in the list that is being read
  std::vector<Question> questions;   // the last one is being answered
  bool reading = false;
  std::uint32_t sequence = 0;
  std::optional<boost::asio::posix::stream_descriptor> stream;
  std::optional<TimerId> timer;
  std::string problem;
};

Listeners::Listeners(process::EventLoop& loop, Appeared appeared, std::function<void()> listed, Duration interval,
                     Fd from)
    : state_(std::make_shared<State>(loop, std::move(appeared), std::move(listed), interval)) {
  if (!from) return;
  state_->is_kept = true;
  state_->open(from.release());
}

Listeners::~Listeners() { state_->stop(); }

Result<Fd> Listeners::connect() {
  Fd out(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (out) return out;
  const int number = errno;
  const bool denied = number == EPERM || number == EACCES;
  const bool no_descriptor = number == EMFILE || number == ENFILE;
  return Error(denied          ? Code::PermissionDenied
               : no_descriptor ? Code::ResourceExhausted
                               : Code::Unimplemented,
               text_of(number));
}

void Listeners::expect(std::set<ExpectedPort> ports) { state_->expect(std::move(ports)); }

const std::string& Listeners::problem() const { return state_->problem; }

}  // namespace meshdns::probes
