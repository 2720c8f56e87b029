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

/// Serves all TCP connections on one thread with epoll.
/// thread: run() on one; add_to() and ticks() on any
class TcpServer {
 public:
  /// listeners: in the order of the listen addresses
  /// environment: must outlive this
  TcpServer(std::vector<Fd> listeners, const TcpLimits& limits, const ServerEnvironment& environment,
            std::uint64_t seed);

  /// Begins to watch the listeners.
  /// requires: called once, before run()
  /// errors: ResourceExhausted: no descriptor or memory for epoll
  Result<void> open();
  /// Serves until `stop` is true, and returns at most kReceiveTimeoutMs later. Queries that have arrived by then are
  /// answered, and open connections are closed.
  void run(const std::atomic<bool>& stop);
  /// Adds these counters to the sums.
  void add_to(ServerTotals& totals) const;
  /// Returns the number of loop rounds; an idle thread makes several per second.
  std::uint64_t ticks() const { return ticks_.value(); }

 private:
  /// The target of epoll's pointer: a Listener or a Peer.
  struct Source {
    bool is_listener;
  };
  struct Listener : Source {
    Fd fd;
    std::uint16_t index;
  };
  struct Peer;
  /// The connections of one client, the longest idle first.
  using Client = std::list<Peer*>;
  using Clients = std::map<IpAddress, Client>;  // key: an IPv4 address, or the first address of an IPv6 /64
  /// A connection.
  struct Peer : Source {
    Fd fd;
    IpAddress address;
    std::uint16_t port;
    std::uint16_t listener;
    TcpConnection connection;
    std::uint32_t events = 0;  // events that epoll watches
    bool closed = false;
    std::list<Peer>::iterator self;
    Clients::iterator client;
    Client::iterator in_client;
  };

  void accept_from(const Listener& listener);
  /// Stops accepting for a moment, because there are no descriptors or memory. Otherwise epoll would report the waiting
  /// connections again and again.
  void pause_accepting(int reason);
  void resume_accepting();
  void add_peer(Fd fd, const sockaddr_storage& from, std::uint16_t listener);
  /// Returns how many connections a client may have. A forwarder, or an address of this machine, stands for many
  /// clients.
  std::size_t share_of(const IpAddress& client);
  void handle_events(std::span<const epoll_event> events);
  void answer_what_arrived();
  void handle(Peer& peer, std::uint32_t events);
  /// Reads, answers or writes what is possible.
  /// returns: false = the connection is over
  bool read(Peer& peer);
  bool answer_and_write(Peer& peer);
  bool write(Peer& peer);
  void watch(Peer& peer);
  void close(Peer& peer, query::Count& reason);
  void close_overdue();
  std::size_t answer(const Peer& peer, std::uint8_t* buffer, std::size_t length);
  /// Answers like query::answer(), and copies query and answer to the capture lane and the tap.
  std::size_t answer_watched(const Peer& peer, std::span<std::uint8_t> request, const query::Context& context);

  std::list<Listener> listeners_;
  TcpLimits limits_;
  Quiescent<answers::AnswerTable>::Reader table_;
  Quiescent<query::Policy>::Reader policy_;
  Capture::Lane& lane_;
  Tap::Lane* const tap_;             // null = there is no tap
  std::vector<std::uint8_t> asked_;  // a copy of the request, for the tap
  const Clock& clock_;
  const ControlPulse& pulse_;
  query::Random random_;
  Fd epoll_;
  TimePoint now_{};
  std::uint32_t unix_seconds_ = 0;
  bool ending_ = false;
  std::optional<TimePoint> accepts_again_;  // nothing = the listeners are watched
  bool accept_fails_ = false;               // the log says so already
  std::list<Peer> peers_;                   // the longest idle first
  Clients clients_;
  std::list<Peer> closed_;  // kept until the current events, which may point at them, are handled
  std::vector<std::uint8_t> scratch_;
  query::Counters counters_;
  query::Count ticks_;
  query::Count accepted_, closed_count_, timed_out_, evicted_, client_limit_, accept_failed_;
};

}  // namespace meshdns::server
