#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// A UDP socket that talks to one address. It is connected: the kernel drops datagrams of every other address, and
/// reports ICMP errors about this address to this socket only.
/// thread: the loop's
/// source: udp(7); RFC 1122 4.1.3.3
class Datagrams {
 public:
  struct Events {
    std::function<void(std::string_view)> received;  // a datagram, possibly an empty one; valid during the call
    std::function<void(const Error&)> failed;        // at most once, with the codes of connect_error()
  };

  /// `loop` must outlive the socket.
  /// events: called until this object is destroyed, which they may do; never from within send()
  Datagrams(process::EventLoop& loop, const SocketAddress& where, Events events);
  ~Datagrams();
  Datagrams(const Datagrams&) = delete;
  Datagrams& operator=(const Datagrams&) = delete;

  /// Opens the socket and sends a datagram. Call it once.
  void send(std::string_view bytes);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
