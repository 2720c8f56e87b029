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

/// Sends what a tap takes to a receiver, from a thread of its own. Without a receiver, or with one that is too slow,
/// messages are dropped and counted; it is tried again each second.
/// thread: sent(), dropped(), connected(): any
class Sender {
 public:
  static constexpr Duration kRetry = 1s;
  static constexpr Duration kQuiet = 10s;  // so long without a loss, and it is over

  /// The wall clock
  using Since1970 = std::function<Duration()>;

  /// socket: the receiver's path. `tap` and `clock` outlive this. since_1970: called by the thread
  /// errors: ResourceExhausted: no descriptor or thread can be had
  static Result<std::unique_ptr<Sender>> start(std::string socket, Teller teller, server::Tap& tap, const Clock& clock,
                                               Since1970 since_1970);
  /// Sends what is there, and ends the stream; a receiver that is stuck is given a few seconds.
  ~Sender();

  /// Messages so far
  std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return lost_.load(std::memory_order_relaxed) + tap_.missed(); }
  bool connected() const { return connected_.load(std::memory_order_relaxed); }

 private:
  Sender(std::string socket, Teller teller, server::Tap& tap, const Clock& clock, Since1970 since_1970);
  void run();
  void connect();
  void disconnected(const std::string& why);
  /// returns: how many exchanges there were
  std::size_t send_some();
  void flush();
  void watch_room();
  /// Until there may be more to send, or the receiver has gone, or this ends.
  void wait();

  const std::string socket_;
  server::Tap& tap_;
  const Clock& clock_;
  const Since1970 since_1970_;
  Encoder encoder_;
  std::vector<std::string> frames_;  // of the next write; they keep their memory
  std::size_t count_ = 0;            // of them are filled
  std::unique_ptr<Stream> stream_;
  std::optional<TimePoint> tried_;
  std::optional<TimePoint> overrun_;  // when room was missing last, until that is over
  std::uint64_t missed_ = 0;          // and was told
  bool told_ = false;                 // that there is no receiver
  std::atomic<std::uint64_t> sent_{0};
  std::atomic<std::uint64_t> lost_{0};  // those that nobody received, beside what the tap has missed
  std::atomic<bool> connected_{false};
  server::Fd end_;  // readable = end
  std::thread thread_;
};

}  // namespace meshdns::dnstap
