#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/dnstap/encoder.h"
#include "dnsd/dnstap/stream.h"
#include "dnsd/server/socket.h"
#include "dnsd/server/tap.h"

namespace meshdns::dnstap {

/// Sends the exchanges of a tap to a dnstap receiver, from a thread of its own. Without a receiver, or with a slow one,
/// messages are dropped and counted, and DNS answers go on. A lost receiver is tried again every second.
/// thread: any, for sent(), dropped() and connected()
class Sender {
 public:
  static constexpr Duration kRetry = 1s;
  static constexpr Duration kQuiet = 10s;  // after this time without a loss the receiver counts as fast enough again

  /// Returns the time by the wall clock.
  using Since1970 = std::function<Duration()>;

  /// Starts the thread.
  /// socket: path of the receiver's unix socket
  /// tap and clock: must outlive this
  /// since_1970: called on the thread
  /// errors: ResourceExhausted: no descriptor or thread is left
  static Result<std::unique_ptr<Sender>> start(std::string socket, Teller teller, server::Tap& tap, const Clock& clock,
                                               Since1970 since_1970);
  /// Sends the exchanges that are in the tap and ends the stream. Waits a few seconds at most for a stuck receiver.
  ~Sender();

  /// Returns the number of messages so far.
  std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return lost_.load(std::memory_order_relaxed) + tap_.missed(); }
  /// Returns whether a receiver is connected.
  bool connected() const { return connected_.load(std::memory_order_relaxed); }

 private:
  Sender(std::string socket, Teller teller, server::Tap& tap, const Clock& clock, Since1970 since_1970);
  void run();
  /// Connects, unless the last attempt was less than kRetry ago.
  void connect();
  /// Closes the stream, and logs the reason once until a connection succeeds.
  void disconnected(const std::string& why);
  /// Sends, or drops, some exchanges of each lane.
  /// returns: the number of exchanges
  std::size_t send_some();
  /// Writes the frames that are filled.
  void flush();
  /// Logs when the tap begins to lose messages, and when it has lost none for kQuiet.
  void watch_room();
  /// Waits until there may be more to send, the receiver has gone, or the destructor ends the thread.
  void wait();

  const std::string socket_;
  server::Tap& tap_;
  const Clock& clock_;
  const Since1970 since_1970_;
  Encoder encoder_;
  std::vector<std::string> frames_;  // for the next write; they keep their memory
  std::size_t count_ = 0;            // how many of them are filled
  std::unique_ptr<Stream> stream_;
  std::optional<TimePoint> tried_;
  std::optional<TimePoint> overrun_;  // when the tap last lost a message; nothing = not in the last kQuiet
  std::uint64_t missed_ = 0;          // Tap::missed() at the last look
  bool told_ = false;                 // the log says already that there is no receiver
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> lost_{0};  // dropped here, in addition to what the tap has missed
  std::atomic<bool> connected_{false};
  Fd end_;  // readable = the thread ends
  std::thread thread_;
};

}  // namespace meshdns::dnstap
