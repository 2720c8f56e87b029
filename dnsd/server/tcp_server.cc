#include "dnsd/server/tcp_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "common/log/log.h"
#include "common/net/prefix.h"
#include "dnsd/wire/types.h"

namespace meshdns::server {
namespace {

constexpr int kTickMs = 50;  // the longest delay after which a deadline is noticed
constexpr int kAcceptsAtOnce = 64;
constexpr Duration kAcceptPause = 100ms;
constexpr std::size_t kForwarderShare = 16;
constexpr int kClientPrefix6 = 64;  // the network of one customer (RFC 6177)

/// Adds or changes a watch.
/// returns: false = the kernel has no memory for it, or the user has too many watches
bool control(const Fd& epoll, int operation, const Fd& fd, std::uint32_t events, void* source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = source;
  return ::epoll_ctl(epoll.get(), operation, fd.get(), &event) == 0;
}

}  // namespace

TcpServer::TcpServer(std::vector<Fd> listeners, const TcpLimits& limits, const ServerEnvironment& environment,
                     std::uint64_t seed)
    : limits_(limits),
      table_(environment.table),
      policy_(environment.policy),
      lane_(environment.capture.add_lane()),
      tap_(environment.tap == nullptr ? nullptr : &environment.tap->add_lane()),
      clock_(environment.clock),
      pulse_(environment.pulse),
      random_(seed),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      scratch_(wire::kMaxMessage) {
  for (auto& fd : listeners) {
    const auto index = static_cast<std::uint16_t>(listeners_.size());
    listeners_.push_back(Listener{{true}, std::move(fd), index});
  }
}

Result<void> TcpServer::open() {
  const auto add = [this](Listener& listener) {
    return control(epoll_, EPOLL_CTL_ADD, listener.fd, EPOLLIN, static_cast<Source*>(&listener));
  };
  if (epoll_ && std::ranges::all_of(listeners_, add)) return {};
  return Error(Code::ResourceExhausted, std::string("cannot serve TCP: ") + std::strerror(errno));
}

void TcpServer::run(const std::atomic<bool>& stop) {
  std::array<epoll_event, 64> events;
  TimePoint checked = clock_.now();
  while (!stop.load(std::memory_order_relaxed)) {
    ticks_.add();
    table_.offline();  // an idle thread must not keep an old table alive
    policy_.offline();
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(),
                                   peers_.empty() && !accepts_again_ ? kReceiveTimeoutMs : kTickMs);
    handle_events(std::span(events).first(static_cast<std::size_t>(std::max(0, count))));
    if (accepts_again_ && now_ >= *accepts_again_) resume_accepting();
    if (now_ - checked < std::chrono::milliseconds(kTickMs)) continue;
    checked = now_;
    close_overdue();
    closed_.clear();
  }
  answer_what_arrived();
  while (!peers_.empty()) close(peers_.front(), closed_count_);
  closed_.clear();
}

void TcpServer::handle_events(std::span<const epoll_event> events) {
  now_ = clock_.now();
  unix_seconds_ = static_cast<std::uint32_t>(clock_.unix_seconds());
  for (const epoll_event& event : events) {
    auto* source = static_cast<Source*>(event.data.ptr);
    if (!source->is_listener) {
      handle(*static_cast<Peer*>(source), event.events);
    } else if (!ending_) {
      accept_from(*static_cast<Listener*>(source));
    }
  }
  closed_.clear();
}

void TcpServer::answer_what_arrived() {
  ending_ = true;
  std::array<epoll_event, 64> events;
  // enough rounds for each connection once, however much a client goes on to send
  for (std::size_t rounds = peers_.size() / events.size() + 2; rounds > 0; --rounds) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 0);
    if (count <= 0) return;
    handle_events(std::span(events).first(static_cast<std::size_t>(count)));
  }
}

void TcpServer::accept_from(const Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    Fd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      const int reason = errno;
      const bool full = reason == EMFILE || reason == ENFILE || reason == ENOMEM || reason == ENOBUFS;
      if (full) accept_failed_.add();
      if (full && peers_.empty()) pause_accepting(reason);
      // the longest idle connection gives its descriptor to the one that waits
      if (full && !peers_.empty()) close(peers_.front(), evicted_);
      return;
    }
    if (std::exchange(accept_fails_, false)) log::info("connections are accepted again", {{"server", "dns tcp"}});
    add_peer(std::move(fd), storage, listener.index);
  }
}

void TcpServer::pause_accepting(int reason) {
  accepts_again_ = now_ + kAcceptPause;
  for (Listener& listener : listeners_) {
    control(epoll_, EPOLL_CTL_MOD, listener.fd, 0, static_cast<Source*>(&listener));
  }
  if (std::exchange(accept_fails_, true)) return;
  log::error("cannot accept connections", {{"server", "dns tcp"}, {"error", std::strerror(reason)}});
}

void TcpServer::resume_accepting() {
  accepts_again_.reset();
  for (Listener& listener : listeners_) {
    control(epoll_, EPOLL_CTL_MOD, listener.fd, EPOLLIN, static_cast<Source*>(&listener));
  }
}

std::size_t TcpServer::share_of(const IpAddress& client) {
  const bool many = client.is_loopback() || policy_.read()->forwarders.contains(client);
  return limits_.per_client * (many ? kForwarderShare : 1);
}

void TcpServer::add_peer(Fd fd, const sockaddr_storage& from, std::uint16_t listener) {
  const IpAddress address = address_of(from);
  accepted_.add();
  const IpAddress key = address.is_v4() ? address : Prefix::of(address, kClientPrefix6).address();
  const auto client = clients_.try_emplace(key).first;
  Peer& peer =
      peers_.emplace_back(Peer{{false}, std::move(fd), address, port_of(from), listener, TcpConnection(now_), EPOLLIN});
  peer.self = std::prev(peers_.end());
  peer.client = client;
  peer.in_client = client->second.insert(client->second.end(), &peer);
  if (client->second.size() > share_of(address)) {
    close(*client->second.front(), client_limit_);
  } else if (peers_.size() > limits_.connections) {
    close(peers_.front(), evicted_);
  }
  if (peer.closed) return;
  const bool watched = control(epoll_, EPOLL_CTL_ADD, peer.fd, peer.events, static_cast<Source*>(&peer));
  if (!watched) close(peer, evicted_);
}

void TcpServer::handle(Peer& peer, std::uint32_t events) {
  if (peer.closed) return;
  if ((events & EPOLLERR) != 0) return close(peer, closed_count_);
  if ((events & (EPOLLIN | EPOLLHUP)) != 0 && peer.connection.wants_read() && !read(peer)) {
    return close(peer, closed_count_);
  }
  if (!answer_and_write(peer)) return close(peer, closed_count_);
  watch(peer);
}

bool TcpServer::read(Peer& peer) {
  const ssize_t size = ::recv(peer.fd.get(), scratch_.data(), scratch_.size(), 0);
  if (size > 0) {
    peer.connection.received(std::span(scratch_).first(static_cast<std::size_t>(size)));
    return true;
  }
  if (size == 0) {
    peer.connection.end_of_input();  // half-closed: queries received so far are still answered (RFC 7766 6.2.4)
    return true;
  }
  return errno == EAGAIN || errno == EINTR;
}

bool TcpServer::answer_and_write(Peer& peer) {
  const auto answerer = [&](std::uint8_t* buffer, std::size_t length) { return answer(peer, buffer, length); };
  do {
    peer.connection.work(answerer, scratch_, now_);
    if (!write(peer)) return false;
  } while (peer.connection.pending().empty() && peer.connection.has_frame() && !peer.connection.finished());
  return !peer.connection.finished();
}

bool TcpServer::write(Peer& peer) {
  const auto pending = peer.connection.pending();
  if (pending.empty()) return true;
  // length and message go out in one write (RFC 7766 8)
  const ssize_t size = ::send(peer.fd.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  peer.connection.sent(static_cast<std::size_t>(size), now_);
  peers_.splice(peers_.end(), peers_, peer.self);
  Client& client = peer.client->second;
  client.splice(client.end(), client, peer.in_client);
  return true;
}

void TcpServer::watch(Peer& peer) {
  const std::uint32_t events = (peer.connection.wants_read() ? std::uint32_t{EPOLLIN} : 0U) |
                               (peer.connection.pending().empty() ? 0U : std::uint32_t{EPOLLOUT});
  if (events == peer.events) return;
  peer.events = events;
  if (!control(epoll_, EPOLL_CTL_MOD, peer.fd, events, static_cast<Source*>(&peer))) close(peer, evicted_);
}

void TcpServer::close(Peer& peer, query::Count& reason) {
  reason.add();
  peer.closed = true;
  peer.fd = Fd();
  closed_.splice(closed_.end(), peers_, peer.self);
  peer.client->second.erase(peer.in_client);
  if (peer.client->second.empty()) clients_.erase(peer.client);
}

void TcpServer::close_overdue() {
  const std::size_t used = peers_.size();
  for (auto at = peers_.begin(); at != peers_.end();) {
    Peer& peer = *at++;
    if (peer.connection.deadline(limits_, used) <= now_) close(peer, timed_out_);
  }
}

std::size_t TcpServer::answer(const Peer& peer, std::uint8_t* buffer, std::size_t length) {
  const Duration idle = ending_ ? Duration::zero() : limits_.idle_with(peers_.size());
  const query::Context context{.table = *table_.read(),
                               .client = peer.address,
                               .listener = peer.listener,
                               .stream = true,
                               .now = now_,
                               .random = random_,
                               .counters = counters_,
                               .policy = *policy_.read(),
                               .unix_seconds = unix_seconds_,
                               .stale = pulse_.is_silent(now_),
                               .keepalive = static_cast<std::uint16_t>(std::min<std::int64_t>(idle / 100ms, 65535))};
  if (!lane_.on() && tap_ == nullptr) [[likely]]
    return query::answer(buffer, length, wire::kMaxMessage, context);
  return answer_watched(peer, {buffer, length}, context);
}

std::size_t TcpServer::answer_watched(const Peer& peer, std::span<std::uint8_t> request,
                                      const query::Context& context) {
  if (tap_ != nullptr) asked_.assign(request.begin(), request.end());
  wire::Query query;
  const wire::Reading reading = wire::read_query(request, query);
  const std::size_t size = query::answer_read(request.data(), wire::kMaxMessage, reading, query, context);
  const std::span<const std::uint8_t> answer(request.data(), size);
  if (lane_.on()) {
    lane_.note({.message = answer,
                .query = query,
                .client = peer.address,
                .listener = peer.listener,
                .stream = true,
                .at = now_,
                .unix_seconds = unix_seconds_,
                .table = context.table});
  }
  if (tap_ != nullptr) {
    tap_->note({.at = now_,
                .client = peer.address,
                .client_port = peer.port,
                .listener = peer.listener,
                .stream = true,
                .query = asked_,
                .answer = answer});
  }
  return size;
}

void TcpServer::add_to(ServerTotals& totals) const {
  query::merge(totals.tcp, counters_);
  // Ended connections are read before accepted ones. Otherwise one that is accepted and ends in between would make
  // `open` negative.
  const std::uint64_t ended = closed_count_.value() + timed_out_.value() + evicted_.value() + client_limit_.value();
  totals.tcp_closed += closed_count_.value();
  totals.tcp_timed_out += timed_out_.value();
  totals.tcp_evicted += evicted_.value();
  totals.tcp_client_limit += client_limit_.value();
  totals.tcp_accept_failed += accept_failed_.value();
  totals.tcp_accepted += accepted_.value();
  totals.tcp_open += accepted_.value() - ended;
}

}  // namespace meshdns::server
