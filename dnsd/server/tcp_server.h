#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "common/base/result.h"
#include "common/net/ip_address.h"
#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/query/answer.h"
#include "dnsd/query/counters.h"
#include "dnsd/query/random.h"
#include "dnsd/server/counters.h"
#include "dnsd/server/environment.h"
#include "dnsd/server/socket.h"
#include "dnsd/server/tcp_connection.h"

namespace meshdns::server {

/// All TCP of the server, on one thread with epoll.
/// thread: run() on one; add_to() and ticks() on any
class TcpServer {
 public:
  /// listeners: in the order of the listen addresses
  TcpServer(std::vector<Fd> listeners, const TcpLimits& limits, const Environment& environment, std::uint64_t seed);

  /// Call it once, before run(). errors: ResourceExhausted: no descriptor or memory for epoll
  Result<void> open();
  /// Returns at most kReceiveTimeoutMs after `stop` became true; what has arrived by then is answered, and open
  /// connections are closed.
  void run(const std::atomic<bool>& stop);
  void add_to(ServerTotals& totals) const;
  /// Rounds of the loop so far; an idle one makes some each second.
  std::uint64_t ticks() const { return ticks_.value(); }

 private:
  struct Source {  // what epoll's pointer points at
    bool is_listener;
  };
  struct Listener : Source {
    Fd fd;
    std::uint16_t index;
  };
  struct Peer;
  /// The connections of one client, the longest idle first
  using Client = std::list<Peer*>;
  using Clients = std::map<IpAddress, Client>;  // an IPv4 address, or the first of an IPv6 /64
  struct Peer : Source {
    Fd fd;
    IpAddress address;
    std::uint16_t port;
    std::uint16_t listener;
    TcpConnection connection;
    std::uint32_t events = 0;  // what epoll watches
    bool closed = false;
    std::list<Peer>::iterator self;
    Clients::iterator client;
    Client::iterator in_client;
  };

  void accept_from(const Listener& listener);
  /// accept(2) fails for want of descriptors or memory: it is tried again a moment later. Otherwise epoll would tell of
  /// the waiting connections without end.
  void pause_accepting(int reason);
  void resume_accepting();
  void add_peer(Fd fd, const sockaddr_storage& from, std::uint16_t listener);
  /// How many connections a client may have: the one of a forwarder, or on this machine, stands for many.
  std::size_t share_of(const IpAddress& client);
  void handle_events(std::span<const epoll_event> events);
  void answer_what_arrived();
  void handle(Peer& peer, std::uint32_t events);
  /// false = the connection is over
  bool read(Peer& peer);
  bool answer_and_write(Peer& peer);
  bool write(Peer& peer);
  void watch(Peer& peer);
  void close(Peer& peer, query::Count& reason);
  void close_overdue();
  std::size_t answer(const Peer& peer, std::uint8_t* buffer, std::size_t length);
  /// As query::answer() does; shows what was asked and answered to who wants to see it.
  std::size_t answer_watched(const Peer& peer, std::span<std::uint8_t> request, const query::Context& context);

  std::list<Listener> listeners_;
  TcpLimits limits_;
  Quiescent<answers::AnswerTable>::Reader table_;
  Quiescent<query::Policy>::Reader policy_;
  Capture::Lane& lane_;
  Tap::Lane* const tap_;             // null = off
  std::vector<std::uint8_t> asked_;  // a request as it came, for the tap
  const Clock& clock_;
  const ControlPulse& pulse_;
  query::Random random_;
  Fd epoll_;
  TimePoint now_{};
  std::uint32_t unix_seconds_ = 0;
  bool ending_ = false;
  std::optional<TimePoint> accepts_again_;  // nothing = the listeners are watched
  bool accept_fails_ = false;               // and it was told
  std::list<Peer> peers_;                   // the longest idle first
  Clients clients_;
  std::list<Peer> closed_;  // kept until the events that point at them are through
  std::vector<std::uint8_t> scratch_;
  query::Counters counters_;
  query::Count ticks_;
  query::Count accepted_, closed_count_, timed_out_, evicted_, client_limit_, accept_failed_;
};

}  // namespace meshdns::server
