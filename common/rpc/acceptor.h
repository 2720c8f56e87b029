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

/// Accepts the connections of one gRPC port on a thread of its own, up to a limit, and hands their descriptors to the
/// gRPC server. gRPC's own listener has no limit.
///
/// How it works: while there is room, each new connection is accepted at once. Without room the acceptor leaves new
/// connections in the kernel's queue and makes room: it ends the connections that have been open for the longest
/// without a whole first message, but no connection that is younger than `patience`. When accept(2) fails, because
/// descriptors or memory are short, it tries again a moment later. The beginning and the end of both conditions are
/// logged.
///
/// The acceptor ends a connection by shutting its socket down: the owner of the descriptor then finds the connection
/// closed by the peer. It uses a duplicate of the descriptor for that, because the owner may close the descriptor, and
/// another socket may get its number, at any moment.
class Acceptor {
 public:
  struct Options {
    std::size_t connections = 1024;  // open at once
    std::size_t per_address = 1024;  // open at once from one IP address; local peers have no limit
    Duration patience = 250ms;       // how long a new connection is safe from being ended to make room
    Duration calm = 5s;              // how long there must be room until the port counts as not full
  };
  struct Counts {
    std::size_t open = 0;        // connections, with those that have closed and were not noticed yet
    std::size_t most = 0;        // Options::connections
    bool full = false;           // there is no room, or there has been room for less than Options::calm
    bool failing = false;        // the last accept(2) failed
    std::uint64_t accepted = 0;  // connections handed over
    std::uint64_t refused = 0;   // connections over Options::per_address
    std::uint64_t evicted = 0;   // connections ended to make room
    std::uint64_t failures = 0;  // failed calls of accept(2)
  };
  /// Takes ownership of a connection's non-blocking descriptor.
  /// thread: the acceptor's
  using HandOver = std::function<void(int listener, int descriptor)>;

  /// Binds the port; connections wait in the kernel's queue until start(). `clock` must outlive the acceptor.
  /// errors: the errors of ListeningSocket::open()
  static Result<std::unique_ptr<Acceptor>> listen(const std::string& address, Options options, const Clock& clock);
  ~Acceptor();

  /// Starts the thread that accepts connections.
  /// ebbed:  called on the acceptor's thread when half of the connections or more are gone; may be empty
  /// errors: Unavailable: the system gives no thread
  Result<void> start(HandOver hand_over, std::function<void()> ebbed = {});
  /// Closes the port. No connection is handed over after the return.
  void stop();

  const std::string& bound() const { return bound_; }
  /// Returns the peer of the connection that an acceptor is handing over on the calling thread; empty = none.
  static const std::string& peer_handed_over();
  /// Notes that a peer has sent a whole message, so that its connection is not ended to make room.
  /// peer:   as gRPC names peers: "ipv4:127.0.0.1:4711"
  /// thread: any
  void proven(std::string_view peer);
  /// thread: any
  Counts counts() const;

 private:
  using Connection = ConnectionTable::Connection;

  Acceptor(ListeningSocket socket, int wake, Options options, const Clock& clock);

  void run();
  /// Looks for closed connections among the next `count` of them, and logs when the port becomes full or stops to be.
  /// returns: false = there is no room
  bool look_around(std::size_t count);
  /// returns: false = accept(2) fails
  bool accept_some();
  /// returns: false = there is no room for another connection
  bool take(int descriptor, const std::optional<SocketAddress>& peer);
  void failed(int reason);
  void works();
  /// Returns the number of connections in the kernel's queue.
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
  bool many_gone_ = false;  // the last look found many closed connections, so there are probably more
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;  // guards the members below
  ConnectionTable table_;
  Counts counts_;
  TimePoint last_full_{};
  std::vector<Connection> ending_;  // shut down by make_room(), and not yet closed by their owner
  std::set<IpAddress> refused_;     // addresses with too many connections of which the log has said so
  std::thread thread_;
};

}  // namespace meshdns::rpc
