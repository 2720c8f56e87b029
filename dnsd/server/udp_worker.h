#pragma once

#include <poll.h>

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

/// A socket of one worker.
struct UdpSocket {
  Fd fd;
  /// Index of the listen address.
  std::uint16_t listener = 0;
  bool wildcard = false;  // answers must be sent from the address that was asked
};

/// Answers UDP on one thread: receives a batch, answers each packet in its own buffer, sends the batch.
/// thread: run(): one; counters() and ticks(): any
class UdpWorker {
 public:
  /// environment: must outlive this
  UdpWorker(std::vector<UdpSocket> sockets, const ServerEnvironment& environment, std::uint64_t seed);
  ~UdpWorker();

  /// Serves until `stop` is true, and returns at most kReceiveTimeoutMs later.
  void run(const std::atomic<bool>& stop);

  const query::Counters& counters() const { return counters_; }
  std::uint64_t send_failed() const { return batch_.failed().value(); }
  /// Returns the number of answers sent in one message with others to the same peer.
  std::uint64_t segmented() const { return batch_.segmented().value(); }
  const Latency& latency() const { return latency_; }
  /// Returns the number of loop rounds; an idle thread makes several per second.
  std::uint64_t ticks() const { return ticks_.value(); }

 private:
  struct Requests;

  /// Receives the packets that are there (blocking or not), answers and sends.
  void serve(const UdpSocket& socket, int receive_flags);
  /// Answers all packets of the batch.
  /// returns: the context of the answers, for the last client
  query::Context answer_batch(const UdpSocket& socket, unsigned count);
  std::uint8_t read_batch(unsigned count, const answers::AnswerTable& table);
  bool watched() const noexcept { return lane_.on() || tap_ != nullptr; }
  /// Answers like answer_batch(), and copies queries and answers to the capture lane and the tap.
  query::Context answer_watched_batch(const UdpSocket& socket, unsigned count);
  void keep_questions(unsigned count);
  void tap_batch(unsigned count, const query::Context& context);
  void capture_batch(unsigned count, const query::Context& context);
  void poll_all();

  std::vector<UdpSocket> sockets_;
  std::vector<pollfd> polled_;  // as many
  Quiescent<answers::AnswerTable>::Reader table_;
  Quiescent<query::Policy>::Reader policy_;
  query::RateLimiter& limiter_;
  Capture::Lane& lane_;
  Tap::Lane* const tap_;             // null = there is no tap
  std::vector<std::uint8_t> asked_;  // copies of the batch's packets, one after the other, for the tap
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
