#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <vector>

#include "common/net/ip_address.h"
#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/query/counters.h"
#include "dnsd/query/random.h"
#include "dnsd/server/counters.h"
#include "dnsd/server/socket.h"
#include "dnsd/server/tcp_connection.h"

namespace meshdns::server {

/// All TCP of the server, on one thread with epoll.
/// thread: run() on one; add_to() and ticks() on any
class TcpServer {
 public:
  /// listeners: in the order of the listen addresses; clock and table outlive the server
  TcpServer(std::vector<Fd> listeners, const TcpLimits& limits, Quiescent<answers::AnswerTable>& table,
            const Clock& clock, std::uint64_t seed);

  /// Returns at most kReceiveTimeoutMs after `stop` became true; open connections are closed.
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
  struct Peer : Source {
    Fd fd;
    IpAddress address;
    std::uint16_t listener;
    TcpConnection connection;
    std::uint32_t events = 0;  // what epoll watches
    bool closed = false;
    std::list<Peer>::iterator self;
  };

  void accept_from(const Listener& listener);
  void add_peer(Fd fd, const IpAddress& address, std::uint16_t listener);
  void handle(Peer& peer, std::uint32_t events);
  /// false = the connection is over
  bool read(Peer& peer);
  bool answer_and_write(Peer& peer);
  bool write(Peer& peer);
  void watch(Peer& peer);
  void close(Peer& peer, query::Count& reason);
  void close_overdue();
  std::size_t answer(const Peer& peer, std::uint8_t* buffer, std::size_t length);

  std::list<Listener> listeners_;
  TcpLimits limits_;
  Quiescent<answers::AnswerTable>::Reader table_;
  const Clock& clock_;
  query::Random random_;
  Fd epoll_;
  TimePoint now_{};
  std::list<Peer> peers_;   // the longest idle first
  std::list<Peer> closed_;  // kept until the events that point at them are through
  std::vector<std::uint8_t> scratch_;
  query::Counters counters_;
  query::Count ticks_;
  query::Count accepted_, closed_count_, timed_out_, evicted_;
};

}  // namespace meshdns::server
