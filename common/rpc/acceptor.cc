#include "common/rpc/acceptor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "common/log/log.h"
#include "common/net/kernel_address.h"
#include "common/rpc/peer.h"

namespace meshdns::rpc {
namespace {

constexpr int kIdleWait = 1000;  // ms between looks for closed connections while no new ones come
constexpr int kFullWait = 20;    // ms between these looks while there is no room
constexpr int kRetryWait = 100;  // ms until a failed accept(2) is tried again
constexpr std::size_t kAtOnce = 64;
constexpr std::size_t kLook = 512;  // connections looked at after a wait
constexpr std::size_t kLookPerAccept = 2;
constexpr std::size_t kMostEnding = 128;  // connections being ended at one time to make room

thread_local std::string handed_over;  // the peer whose connection is being handed over on this thread

std::uint64_t inode_of(int descriptor) {
  struct stat found {};
  return ::fstat(descriptor, &found) == 0 && S_ISSOCK(found.st_mode) ? found.st_ino : 0;
}

/// returns: nothing = a local peer
std::optional<SocketAddress> peer_of(const sockaddr_storage& storage) {
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) return std::nullopt;
  return SocketAddress{address_of(storage), port_of(storage)};
}

/// Whether the peer is still connected. After a restart thousands of peers connect at once, and a peer that waits too
/// long in the kernel's queue gives up and connects again. If abandoned connections cost as much as live ones, the
/// queue would move so slowly that every connection is abandoned before its turn comes, and this would never end. gRPC
/// would also log an error for each.
bool is_connected(int descriptor) {
  pollfd peer{descriptor, POLLRDHUP, 0};
  return ::poll(&peer, 1, 0) == 0;
}

void close_at_once(int descriptor) {
  const linger none{1, 0};  // sends a reset, so that the peer knows and the kernel keeps no state
  static_cast<void>(::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none));
  ::close(descriptor);
}

/// Shuts the connection's socket down, unless its descriptor number is another socket's by now.
void shut(const ConnectionTable::Connection& connection) {
  const int held = ::fcntl(connection.descriptor, F_DUPFD_CLOEXEC, 0);
  if (held < 0) return;
  if (inode_of(held) == connection.inode) ::shutdown(held, SHUT_RDWR);
  ::close(held);
}

}  // namespace

Result<std::unique_ptr<Acceptor>> Acceptor::listen(const std::string& address, Options options, const Clock& clock) {
  auto socket = ListeningSocket::open(address);
  if (!socket) return socket.error();
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0) return Error(Code::Unavailable, "cannot listen on " + address + ": " + std::strerror(errno));
  return std::unique_ptr<Acceptor>(new Acceptor(std::move(*socket), wake, options, clock));
}

Acceptor::Acceptor(ListeningSocket socket, int wake, Options options, const Clock& clock)
    : socket_(std::move(socket)),
      bound_(socket_->bound()),
      wake_(wake),
      options_(options),
      clock_(clock),
      table_({options.connections, options.per_address}, inode_of) {
  counts_.most = options.connections;
}

Acceptor::~Acceptor() {
  stop();
  ::close(wake_);
}

Result<void> Acceptor::start(HandOver hand_over, std::function<void()> ebbed) {
  hand_over_ = std::move(hand_over);
  ebbed_ = std::move(ebbed);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error& error) {
    return Error(Code::Unavailable, std::string("the system gives no thread for new connections: ") + error.what());
  }
  return {};
}

void Acceptor::stop() {
  stopping_ = true;
  static_cast<void>(::eventfd_write(wake_, 1));
  if (thread_.joinable()) thread_.join();
  socket_.reset();
}

void Acceptor::run() {
  bool retry = false;
  std::size_t look = 0;
  while (!stopping_) {
    const bool may_accept = look_around(look);
    std::array<pollfd, 2> events{{{wake_, POLLIN, 0}, {socket_->descriptor(), POLLIN, 0}}};
    const int wait = retry ? kRetryWait : may_accept && !many_gone_ ? kIdleWait : kFullWait;
    // Looking costs time: skip it while connections come, because take() looks at a few entries for each of them.
    look = ::poll(events.data(), may_accept && !retry ? 2 : 1, wait) > 0 ? 0 : kLook;
    if (stopping_) return;
    if (may_accept && (retry || events[1].revents != 0)) retry = !accept_some();
    if (!may_accept) make_room();
  }
}

bool Acceptor::look_around(std::size_t count) {
  std::unique_lock lock(mutex_);
  std::erase_if(ending_, [this](const Connection& connection) { return !table_.look_at(connection); });
  many_gone_ = table_.look(count) > kLook / 8;
  std::erase_if(refused_, [this](const IpAddress& peer) {
    return table_.of(peer) <= options_.per_address - options_.per_address / 8;
  });
  counts_.open = table_.open();
  const bool room = table_.has_room();
  const TimePoint at = clock_.now();
  if (!room) last_full_ = at;
  const bool was_full = std::exchange(counts_.full, !room || (counts_.full && at - last_full_ < options_.calm));
  const Counts now = counts_;
  lock.unlock();
  if (count > 0 && tide_.fell(now.open) && ebbed_) ebbed_();
  const log::Field open("open", now.open);
  if (now.full && !was_full) {
    log::warn("connections wait: the limit is reached", {{"address", bound()}, open});
  } else if (!now.full && was_full) {
    log::info("connections wait no more", {{"address", bound()}, open, {"evicted", now.evicted}});
  }
  return room;
}

bool Acceptor::accept_some() {
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int descriptor =
        ::accept4(socket_->descriptor(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
      if (!is_connected(descriptor)) {
        ::close(descriptor);
      } else if (!take(descriptor, peer_of(from))) {
        return true;
      }
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) break;
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
    failed(errno);
    return false;
  }
  works();
  return true;
}

bool Acceptor::take(int descriptor, const std::optional<SocketAddress>& peer) {
  std::unique_lock lock(mutex_);
  table_.look(kLookPerAccept);
  const bool taken = table_.add(descriptor, peer, clock_.now());
  ++(taken ? counts_.accepted : counts_.refused);
  const bool first = !taken && refused_.insert(peer->ip).second;
  const bool room = table_.has_room();
  lock.unlock();
  if (taken) {
    handed_over = peer ? peer->text() : "a local process";
    hand_over_(socket_->descriptor(), descriptor);
    handed_over.clear();
    return room;
  }
  close_at_once(descriptor);
  if (first) {
    log::warn("connections refused: the limit of their address is reached",
              {{"address", peer->ip.text()}, {"most", options_.per_address}});
  }
  return room;
}

void Acceptor::failed(int reason) {
  std::unique_lock lock(mutex_);
  ++counts_.failures;
  const bool first = !std::exchange(counts_.failing, true);
  lock.unlock();
  if (first) log::error("cannot accept connections", {{"address", bound()}, {"error", std::strerror(reason)}});
}

void Acceptor::works() {
  std::unique_lock lock(mutex_);
  const bool again = std::exchange(counts_.failing, false);
  lock.unlock();
  if (again) log::info("connections are accepted again", {{"address", bound()}});
}

std::size_t Acceptor::waiting() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  // for a listening socket the kernel reports the length of its queue in this field
  if (::getsockopt(socket_->descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0) return info.tcpi_unacked;
  return 0;  // a unix socket: local peers are never ended to make room
}

void Acceptor::make_room() {
  const std::size_t wanted = std::min(waiting(), kMostEnding);
  if (wanted == 0) return;
  const std::lock_guard lock(mutex_);
  const TimePoint before = clock_.now() - options_.patience;
  while (ending_.size() < wanted) {
    const auto oldest = table_.next_unproven(before);
    if (!oldest) return;
    shut(*oldest);
    ending_.push_back(*oldest);
    ++counts_.evicted;
  }
}

const std::string& Acceptor::peer_handed_over() { return handed_over; }

void Acceptor::proven(std::string_view peer) {
  const auto address = peer_named(peer);
  if (!address) return;
  const std::lock_guard lock(mutex_);
  table_.proven(*address);
}

Acceptor::Counts Acceptor::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace meshdns::rpc
