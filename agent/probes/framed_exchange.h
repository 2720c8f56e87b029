#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/result.h"
#include "common/net/socket_address.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Sends one DNS message over a TCP connection of its own and receives one. Each message follows its length in two
/// bytes. The connection is closed with RST, because the side that closes would otherwise keep it in TIME_WAIT.
/// thread: the loop's
/// source: RFC 1035 4.2.2
class FramedExchange {
 public:
  /// Gets the message; or an error with the codes of connect_error().
  using Done = std::function<void(const Result<std::string>&)>;

  /// Starts to connect. `loop` must outlive the exchange.
  /// message: at most 65,535 bytes
  /// done:    called at most once, not before the constructor returns; it may destroy this object
  FramedExchange(process::EventLoop& loop, const SocketAddress& where, std::string message, Done done);
  /// Ends the exchange; `done` is not called afterwards.
  ~FramedExchange();
  FramedExchange(const FramedExchange&) = delete;
  FramedExchange& operator=(const FramedExchange&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
