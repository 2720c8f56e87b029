#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "common/time/time.h"

namespace meshdns::server {

/// The limits of TCP connections.
struct TcpLimits {
  std::size_t connections = 1000;  // beyond this number the longest idle connection is closed
  std::size_t per_client = 50;     // per IPv4 address or IPv6 /64: then its own longest idle one is closed
  Duration first_query = 2s;       // from the connection to its first whole query
  Duration idle = 30s;             // between queries; longer than CoreDNS's own 10 s, so that the client closes first
  Duration idle_least = 2s;        // the idle time when all connections are in use
  Duration write_blocked = 500ms;  // a client that does not read for this time is disconnected

  /// Returns the idle time. Up to half of the connections may idle for the whole time; with more it shrinks (RFC 7766
  /// 6.2.3).
  /// used: connections in use
  Duration idle_with(std::size_t used) const;
};

/// The state of one TCP connection: bytes received, and answers to be sent. Pure: no socket, no clock. While answers
/// wait to be sent, no more queries are answered, so at most one answer beyond kPendingGoal is stored.
/// source: RFC 7766 8 (framing), 6.2.1.1 (pipelining)
class TcpConnection {
 public:
  /// Answers a request in place: a buffer of wire::kMaxMessage bytes, and the length of the request in it. Returns the
  /// length of the answer; 0 = the request is not DNS: the connection ends.
  using Answerer = std::function<std::size_t(std::uint8_t* buffer, std::size_t length)>;
  static constexpr std::size_t kPendingGoal = 64 << 10;
  static constexpr std::size_t kKept =
      1 << 10;  // bytes that a buffer keeps between queries: idle connections are small

  explicit TcpConnection(TimePoint accepted) : last_progress_(accepted) {}

  void received(std::span<const std::uint8_t> bytes) { in_.insert(in_.end(), bytes.begin(), bytes.end()); }
  void end_of_input() { input_ended_ = true; }
  /// Answers the complete frames that have arrived, until kPendingGoal bytes wait to be sent.
  /// scratch: wire::kMaxMessage bytes, not kept
  void work(const Answerer& answerer, std::span<std::uint8_t> scratch, TimePoint now);

  /// Returns the bytes that wait to be sent.
  std::span<const std::uint8_t> pending() const { return std::span(out_).subspan(sent_); }
  /// Notes that the first pending bytes were sent.
  void sent(std::size_t bytes, TimePoint now);

  /// Returns whether more input may be read.
  bool wants_read() const { return !input_ended_ && pending().empty(); }
  /// Returns whether the connection can be closed: everything is answered and sent, or the client does not speak DNS.
  bool finished() const { return broken_ || (input_ended_ && pending().empty() && !has_frame()); }
  /// Returns whether a complete frame waits to be answered.
  bool has_frame() const;
  /// Returns the bytes of memory that the buffers hold.
  std::size_t buffered() const { return in_.capacity() + out_.capacity(); }
  /// Returns when the connection has to be closed, if nothing happens.
  /// used: connections in use
  TimePoint deadline(const TcpLimits& limits, std::size_t used) const;

 private:
  std::size_t frame_length() const { return static_cast<std::size_t>(in_[at_] << 8 | in_[at_ + 1]); }

  std::vector<std::uint8_t> in_;
  std::size_t at_ = 0;  // bytes of in_ that are answered
  std::vector<std::uint8_t> out_;
  std::size_t sent_ = 0;
  bool input_ended_ = false;
  bool broken_ = false;
  bool answered_ = false;
  TimePoint last_progress_;  // when the client connected, was answered or took bytes
};

}  // namespace meshdns::server
