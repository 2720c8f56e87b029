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

/// The connections of one port whose descriptors belong to somebody else (gRPC), who does not say when one is closed.
///
/// How it works: the table keeps the inode of each socket by its descriptor's number, and forgets a connection when the
/// number turns out to be another socket's or nobody's. A number that accept(2) returns proves that the older
/// connection of that number is gone; the others are found by looking at a few entries at a time. Nothing here is
/// O(connections).
///
/// A connection is *proven* when its peer has sent a whole first message. Those that are not can be taken back, the
/// oldest first, where the room is needed.
/// thread: the caller's; nothing is locked
class ConnectionTable {
 public:
  struct Limits {
    std::size_t connections = 1;
    std::size_t per_address = 1;
  };
  struct Connection {
    int descriptor = -1;
    std::uint64_t inode = 0;
  };
  /// The inode of the socket at a descriptor; 0 = there is none.
  using InodeOf = std::function<std::uint64_t(int)>;

  ConnectionTable(Limits limits, InodeOf inode_of) : limits_(limits), inode_of_(std::move(inode_of)) {}

  std::size_t open() const { return used_.size(); }
  bool has_room() const { return open() < limits_.connections; }

  /// A descriptor that accept(2) has just returned; requires: has_room().
  /// peer: nothing = a local one: it has no limit of its own, and is proven
  /// returns: false = its address has as many as it may; the connection is not kept
  bool add(int descriptor, const std::optional<SocketAddress>& peer, TimePoint now);
  /// Looks at the next `count` entries, and forgets those that are gone. Returns how many were.
  std::size_t look(std::size_t count);
  /// Looks at this one, and forgets it if it is gone. Returns whether it is there.
  bool look_at(const Connection& connection);
  /// The peer has sent a whole message.
  void proven(const SocketAddress& peer);
  /// The oldest connection that was accepted before `before` and is not proven; it stays in the table until it is gone,
  /// but is not returned again.
  std::optional<Connection> next_unproven(TimePoint before);

  /// How many connections an address has.
  std::size_t of(const IpAddress& address) const;

 private:
  struct Entry {
    std::uint64_t inode = 0;  // 0 = no connection has this number
    std::size_t place = 0;    // in used_
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
  std::size_t next_ = 0;        // of used_, to be looked at
  std::deque<Unproven> unproven_;
  std::map<SocketAddress, int> by_peer_;
  std::map<IpAddress, std::size_t> of_address_;
};

}  // namespace meshdns::rpc
