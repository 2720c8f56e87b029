#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "common/rpc/connection_table.h"
#include "common/rpc/listening_socket.h"
#include "common/rpc/tide.h"
#include "common/time/time.h"

namespace meshdns::rpc {

/// Accepts the connections of one port on a thread of its own, as many as there may be, and hands them over.
///
/// How it works: while there is room, each connection that comes is accepted at once. Without room the acceptor leaves
/// the others in the kernel's queue, and makes room: it ends the connections that have been open for the longest
/// without a whole first message, but none that is younger than `patience`. Where accept(2) itself fails, for want of
/// descriptors or memory, it tries again a moment later. Both edges are logged.
///
/// Ending a connection means shutting its socket down: whoever owns the descriptor finds it closed by the peer. The
/// socket is shut down through a duplicate of the descriptor, because its number may be another's at any moment.
class Acceptor {
 public:
  struct Options {
    std::size_t connections = 1024;  // open at once
    std::size_t per_address = 1024;  // of one peer's address; local peers have no limit
    Duration patience = 250ms;
    Duration calm = 5s;  // with room, until it is told that connections wait no more
  };
  struct Counts {
    std::size_t open = 0;
    std::size_t most = 0;        // Options::connections
    bool full = false;           // from when there is no room until there was some for Options::calm
    bool failing = false;        // accept(2) fails
    std::uint64_t accepted = 0;  // handed over
    std::uint64_t refused = 0;   // their address had as many as it may
    std::uint64_t evicted = 0;   // they had to make room
    std::uint64_t failures = 0;  // of accept(2)
  };
  /// Takes the descriptor, which is non-blocking, and closes it at its end. thread: the acceptor's
  using HandOver = std::function<void(int listener, int descriptor)>;

  /// errors: those of ListeningSocket::open()
  static Result<std::unique_ptr<Acceptor>> listen(const std::string& address, Options options, const Clock& clock);
  ~Acceptor();

  /// ebbed: called when half of the connections or more are gone; may be empty. thread: the acceptor's
  /// errors: no thread can be had
  Result<void> start(HandOver hand_over, std::function<void()> ebbed = {});
  /// Closes the port. Nothing is handed over from the return on.
  void stop();

  const std::string& bound() const { return bound_; }
  /// The peer of the connection that an acceptor is handing over on this thread at the moment; empty = none.
  static const std::string& peer_handed_over();
  /// The peer has sent a whole message; as gRPC names peers: "ipv4:127.0.0.1:4711". thread: any
  void proven(std::string_view peer);
  /// thread: any
  Counts counts() const;

 private:
  using Connection = ConnectionTable::Connection;

  Acceptor(ListeningSocket socket, int wake, Options options, const Clock& clock);

  void run();
  /// Looks at `count` connections for those that are gone, and tells when it is full and when no more. False = there is
  /// no room.
  bool look_around(std::size_t count);
  /// False = accept(2) fails.
  bool accept_some();
  /// False = there is no room for another one.
  bool take(int descriptor, const std::optional<SocketAddress>& peer);
  void failed(int reason);
  void works();
  /// How many the kernel has in its queue.
  std::size_t waiting() const;
  void make_room();

  std::optional<ListeningSocket> socket_;  // none after stop()
  const std::string bound_;
  const int wake_;  // an eventfd
  const Options options_;
  const Clock& clock_;
  HandOver hand_over_;
  std::function<void()> ebbed_;
  Tide tide_;
  bool many_gone_ = false;  // at the last look: there are more
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // of what follows
  ConnectionTable table_;
  Counts counts_;
  TimePoint last_full_{};
  std::vector<Connection> ending_;  // shut down, and not yet known to be closed
  std::set<IpAddress> refused_;     // it was told that they have too many
  std::thread thread_;
};

}  // namespace meshdns::rpc
