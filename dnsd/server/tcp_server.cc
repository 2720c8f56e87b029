#include "dnsd/server/tcp_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "common/base/check.h"
#include "dnsd/query/answer.h"
#include "dnsd/wire/types.h"

namespace meshdns::server {
namespace {

constexpr int kTickMs = 50;  // how late a deadline may be noticed
constexpr int kAcceptsAtOnce = 64;

void control(const Fd& epoll, int operation, const Fd& fd, std::uint32_t events, void* source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = source;
  MESHDNS_CHECK(::epoll_ctl(epoll.get(), operation, fd.get(), &event) == 0);
}

}  // namespace

TcpServer::TcpServer(std::vector<Fd> listeners, const TcpLimits& limits, Quiescent<answers::AnswerTable>& table,
                     const Clock& clock, std::uint64_t seed)
    : limits_(limits),
      table_(table),
      clock_(clock),
      random_(seed),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      scratch_(wire::kMaxMessage) {
  for (auto& fd : listeners) {
    const auto index = static_cast<std::uint16_t>(listeners_.size());
    Listener& listener = listeners_.emplace_back(Listener{{true}, std::move(fd), index});
    control(epoll_, EPOLL_CTL_ADD, listener.fd, EPOLLIN, static_cast<Source*>(&listener));
  }
}

void TcpServer::run(const std::atomic<bool>& stop) {
  std::array<epoll_event, 64> events;
  TimePoint checked = clock_.now();
  while (!stop.load(std::memory_order_relaxed)) {
    ticks_.add();
    table_.offline();  // an idle thread keeps no old table alive
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), events.size(), peers_.empty() ? kReceiveTimeoutMs : kTickMs);
    now_ = clock_.now();
    for (int i = 0; i < count; ++i) {
      auto* source = static_cast<Source*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (source->is_listener) {
        accept_from(*static_cast<Listener*>(source));
      } else {
        handle(*static_cast<Peer*>(source), events[static_cast<std::size_t>(i)].events);
      }
    }
    closed_.clear();
    if (now_ - checked < std::chrono::milliseconds(kTickMs)) continue;
    checked = now_;
    close_overdue();
    closed_.clear();
  }
  while (!peers_.empty()) close(peers_.front(), closed_count_);
  closed_.clear();
}

void TcpServer::accept_from(const Listener& listener) {
  for (int i = 0; i < kAcceptsAtOnce; ++i) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    Fd fd(::accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      const bool full = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS;
      if (full && !peers_.empty()) close(peers_.front(), evicted_);
      return;
    }
    add_peer(std::move(fd), address_of(storage), listener.index);
  }
}

void TcpServer::add_peer(Fd fd, const IpAddress& address, std::uint16_t listener) {
  if (peers_.size() >= limits_.connections && !peers_.empty()) close(peers_.front(), evicted_);
  Peer& peer = peers_.emplace_back(Peer{{false}, std::move(fd), address, listener, TcpConnection(now_), EPOLLIN});
  peer.self = std::prev(peers_.end());
  accepted_.add();
  control(epoll_, EPOLL_CTL_ADD, peer.fd, peer.events, static_cast<Source*>(&peer));
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
    peer.connection.end_of_input();  // half-closed: what was asked is still answered (RFC 7766 6.2.4)
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
  // length and message leave in one write (RFC 7766 8)
  const ssize_t size = ::send(peer.fd.get(), pending.data(), pending.size(), MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  peer.connection.sent(static_cast<std::size_t>(size), now_);
  peers_.splice(peers_.end(), peers_, peer.self);
  return true;
}

void TcpServer::watch(Peer& peer) {
  const std::uint32_t events = (peer.connection.wants_read() ? std::uint32_t{EPOLLIN} : 0U) |
                               (peer.connection.pending().empty() ? 0U : std::uint32_t{EPOLLOUT});
  if (events == peer.events) return;
  peer.events = events;
  control(epoll_, EPOLL_CTL_MOD, peer.fd, events, static_cast<Source*>(&peer));
}

void TcpServer::close(Peer& peer, query::Count& reason) {
  reason.add();
  peer.closed = true;
  peer.fd = Fd();
  closed_.splice(closed_.end(), peers_, peer.self);
}

void TcpServer::close_overdue() {
  const std::size_t used = peers_.size();
  for (auto at = peers_.begin(); at != peers_.end();) {
    Peer& peer = *at++;
    if (peer.connection.deadline(limits_, used) <= now_) close(peer, timed_out_);
  }
}

std::size_t TcpServer::answer(const Peer& peer, std::uint8_t* buffer, std::size_t length) {
  const query::Context context{*table_.read(), peer.address, peer.listener, true, now_, random_, counters_};
  return query::answer(buffer, length, wire::kMaxMessage, context);
}

void TcpServer::add_to(ServerTotals& totals) const {
  query::merge(totals.tcp, counters_);
  // what ended is read before what began, so that `open` never comes out negative
  const std::uint64_t ended = closed_count_.value() + timed_out_.value() + evicted_.value();
  totals.tcp_closed += closed_count_.value();
  totals.tcp_timed_out += timed_out_.value();
  totals.tcp_evicted += evicted_.value();
  totals.tcp_accepted += accepted_.value();
  totals.tcp_open += accepted_.value() - ended;
}

}  // namespace meshdns::server
