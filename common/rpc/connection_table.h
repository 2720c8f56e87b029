#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::rpc {

/// The open connections of one port, for Acceptor. gRPC owns their descriptors and does not say when it closes one.
///
/// How it works: the table keeps the inode of each socket by the descriptor's number:
///
///   descriptor   0   1   2   3   4   5
///   inode        -   -   -  71  72   -      71 at 3: if fstat(3) shows another inode, or none, connection 71 is closed
///
/// When accept(2) returns a number, the older connection of that number is closed. Other closed connections are found
/// by look(), a few entries at a time, so that no operation takes time in proportion to all connections.
///
/// A connection is *proven* when its peer has sent a whole first message. Connections that are not proven may be ended
/// to make room, the oldest first.
/// thread: not locked; one thread at a time
class ConnectionTable {
 public:
  struct Limits {
    std::size_t connections = 1;  // all together
    std::size_t per_address = 1;  // from one IP address
  };
  struct Connection {
    int descriptor = -1;
    std::uint64_t inode = 0;
  };
  /// Returns the inode of the socket at a descriptor; 0 = there is none.
  using InodeOf = std::function<std::uint64_t(int)>;

  ConnectionTable(Limits limits, InodeOf inode_of) : limits_(limits), inode_of_(std::move(inode_of)) {}

  std::size_t open() const { return used_.size(); }
  bool has_room() const { return open() < limits_.connections; }

  /// Adds the connection of a descriptor that accept(2) has just returned.
  /// requires: has_room()
  /// peer:     nothing = a local peer, for which there is no limit per address, and which is proven
  /// returns:  false = the address has as many connections as it may have; the connection is not added
  bool add(int descriptor, const std::optional<SocketAddress>& peer, TimePoint now);
  /// Looks at the next `count` connections and removes the closed ones.
  /// returns: how many were removed
  std::size_t look(std::size_t count);
  /// Looks at one connection and removes it if it is closed.
  /// returns: whether the connection is open
  bool look_at(const Connection& connection);
  /// Notes that the peer has sent a whole message.
  void proven(const SocketAddress& peer);
  /// Returns the oldest connection that was accepted before `before` and is not proven. The connection stays in the
  /// table until it is closed, but is not returned again.
  std::optional<Connection> next_unproven(TimePoint before);

  /// Returns how many connections an address has.
  std::size_t of(const IpAddress& address) const;

 private:
  struct Entry {
    std::uint64_t inode = 0;  // 0 = no connection has this number
    std::size_t place = 0;    // index in used_
    std::optional<SocketAddress> peer;
    bool proven = false;
  };
  struct Unproven {
    Connection connection;
    TimePoint since;
  };

  void forget(int descriptor);
  Entry* find(const Connection& connection);

  Limits limits_;
  InodeOf inode_of_;
  std::vector<Entry> entries_;  // by descriptor
  std::vector<int> used_;       // the descriptors that have a connection
  std::size_t next_ = 0;        // index in used_ of the next connection to look at
  std::deque<Unproven> unproven_;
  std::map<SocketAddress, int> by_peer_;
  std::map<IpAddress, std::size_t> of_address_;
};

}  // namespace meshdns::rpc
