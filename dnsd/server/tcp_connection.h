#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/time/time.h"

namespace meshdns::server {

struct TcpLimits {
  std::size_t connections = 1000;  // beyond them the longest idle one makes room
  std::size_t per_client = 50;     // of one IPv4 address or IPv6 /64: beyond them its own longest idle one does
  Duration first_query = 2s;       // from the connection to its first whole query
  Duration idle = 30s;             // between queries; CoreDNS's own 10 s must not race with it
  Duration idle_least = 2s;        // with all connections in use
  Duration write_blocked = 500ms;  // a client that reads nothing for so long is cut

  /// Half of the connections may idle for the whole time; beyond that it shrinks (RFC 7766 6.2.3).
  Duration idle_with(std::size_t used) const;
};

/// What one TCP connection has sent and is owed: frames in, frames out. Pure: no socket, no clock.
/// While answers wait to be sent nothing more is answered, so at most one query's answer beyond kPendingGoal waits.
/// source: RFC 7766 8 (framing), 6.2.1.1 (pipelining)
class TcpConnection {
 public:
  /// Answers a request in place (buffer of wire::kMaxMessage bytes, length of the request); 0 = not DNS: close
  using Answerer = std::function<std::size_t(std::uint8_t* buffer, std::size_t length)>;
  static constexpr std::size_t kPendingGoal = 64 << 10;
  static constexpr std::size_t kKept =
      1 << 10;  // bytes that a buffer keeps between queries: idle connections are small

  explicit TcpConnection(TimePoint accepted) : last_progress_(accepted) {}

  void received(std::span<const std::uint8_t> bytes) { in_.insert(in_.end(), bytes.begin(), bytes.end()); }
  void end_of_input() { input_ended_ = true; }
  /// Answers the whole frames that have arrived until kPendingGoal bytes wait.
  /// scratch: wire::kMaxMessage bytes, free again afterwards
  void work(const Answerer& answerer, std::span<std::uint8_t> scratch, TimePoint now);

  std::span<const std::uint8_t> pending() const { return std::span(out_).subspan(sent_); }
  void sent(std::size_t bytes, TimePoint now);

  bool wants_read() const { return !input_ended_ && pending().empty(); }
  /// All is answered and sent, or the client speaks no DNS.
  bool finished() const { return broken_ || (input_ended_ && pending().empty() && !has_frame()); }
  bool has_frame() const;
  /// Bytes of memory that its buffers hold
  std::size_t buffered() const { return in_.capacity() + out_.capacity(); }
  /// When the client has used up its time.
  TimePoint deadline(const TcpLimits& limits, std::size_t used) const;

 private:
  std::size_t frame_length() const { return static_cast<std::size_t>(in_[at_] << 8 | in_[at_ + 1]); }

  std::vector<std::uint8_t> in_;
  std::size_t at_ = 0;  // so much of in_ is answered
  std::vector<std::uint8_t> out_;
  std::size_t sent_ = 0;
  bool input_ended_ = false;
  bool broken_ = false;
  bool answered_ = false;
  TimePoint last_progress_;  // connected, answered or sent
};

}  // namespace meshdns::server
