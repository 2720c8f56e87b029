#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/published/quiescent.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/query/answer.h"
#include "dnsd/query/counters.h"
#include "dnsd/query/random.h"
#include "dnsd/server/environment.h"
#include "dnsd/server/latency.h"
#include "dnsd/server/socket.h"
#include "dnsd/server/udp_batch.h"

namespace meshdns::server {

/// One of the worker's sockets. listener: the index of its listen address
struct UdpSocket {
  Fd fd;
  std::uint16_t listener = 0;
  bool wildcard = false;  // answers must leave from the address that was asked
};

/// One thread that answers UDP: receives a batch, answers each packet in its own buffer, sends the batch.
/// thread: run() on one; counters() and ticks() on any
class UdpWorker {
 public:
  UdpWorker(std::vector<UdpSocket> sockets, const Environment& environment, std::uint64_t seed);
  ~UdpWorker();

  /// Returns at most kReceiveTimeoutMs after `stop` became true.
  void run(const std::atomic<bool>& stop);

  const query::Counters& counters() const { return counters_; }
  std::uint64_t send_failed() const { return batch_.failed().value(); }
  /// Answers that left together with others of the same peer
  std::uint64_t segmented() const { return batch_.segmented().value(); }
  const Latency& latency() const { return latency_; }
  /// Rounds of the loop so far; an idle one makes some each second.
  std::uint64_t ticks() const { return ticks_.value(); }

 private:
  struct Requests;

  /// Receives what is there (blocking or not), answers, sends.
  void serve(const UdpSocket& socket, int receive_flags);
  /// returns: what the answers depended on, but for the clients
  query::Context answer_batch(const UdpSocket& socket, unsigned count);
  std::uint8_t read_batch(unsigned count, const answers::AnswerTable& table);
  bool watched() const noexcept { return lane_.on() || tap_ != nullptr; }
  /// Answers as answer_batch() does, and shows what was asked and answered to who wants to see it.
  query::Context answer_watched_batch(const UdpSocket& socket, unsigned count);
  void keep_questions(unsigned count);
  void tap_batch(unsigned count, const query::Context& context);
  void capture_batch(unsigned count, const query::Context& context);
  void poll_all();

  std::vector<UdpSocket> sockets_;
  Quiescent<answers::AnswerTable>::Reader table_;
  Quiescent<query::Policy>::Reader policy_;
  query::RateLimiter& limiter_;
  Capture::Lane& lane_;
  Tap::Lane* const tap_;             // null = off
  std::vector<std::uint8_t> asked_;  // the batch's packets as they came, one behind the other, for the tap
  const Clock& clock_;
  const ControlPulse& pulse_;
  query::Random random_;
  query::Counters counters_;
  query::Count ticks_;
  Latency latency_;
  UdpBatch batch_;
  std::unique_ptr<Requests> requests_;
};

}  // namespace meshdns::server
