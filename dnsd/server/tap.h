#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>

#include "common/net/ip_address.h"
#include "common/time/time.h"

namespace meshdns::server {

/// A query and its answer as they were on the wire. Refers to the bytes.
struct Exchange {
  TimePoint at{};
  IpAddress client;
  std::uint16_t client_port = 0;
  std::uint16_t listener = 0;
  bool stream = false;
  std::span<const std::uint8_t> query;
  std::span<const std::uint8_t> answer;  // empty = the query was dropped

  unsigned messages() const { return answer.empty() ? 1 : 2; }
};

// How it works. Each DNS thread has a lane, a ring of bytes with one writer and one reader, so that it needs no lock:
//
//   bytes   [ free | head query answer | head query answer | free ]
//                   ^ taken_ (reader)                        ^ written_ (writer)
//
// Both positions only grow; the place in the ring is the position modulo the capacity. The writer publishes an exchange
// by storing written_, the reader frees its bytes by storing taken_. An exchange that does not fit before the end of
// the ring starts at the beginning, after a head of size 0.
//
// Not done: a full lane does not make the DNS thread wait. Messages are dropped and counted, because answers come
// first.

/// Copies every query and answer for one consumer (dnstap).
class Tap {
 public:
  static constexpr std::size_t kLaneBytes = 2 << 20;

  using Take = std::function<void(const Exchange&)>;

  /// The exchanges of one DNS thread.
  class Lane {
   public:
    /// capacity: a power of 2
    explicit Lane(std::size_t capacity);

    /// Copies an exchange into the ring, or counts its messages as missed.
    /// thread: the lane's own
    void note(const Exchange& exchange) noexcept;
    /// Calls `take` for the oldest exchanges; their bytes are valid until it returns.
    /// returns: the number of exchanges, at most `most`
    /// thread: the consumer's
    std::size_t drain(std::size_t most, const Take& take);
    /// Returns the number of messages for which there was no room.
    /// thread: any
    std::uint64_t missed() const { return missed_.load(std::memory_order_relaxed); }

   private:
    struct Head;

    std::size_t place(std::uint64_t position) const { return static_cast<std::size_t>(position & (capacity_ - 1)); }

    const std::size_t capacity_;
    const std::unique_ptr<std::uint64_t[]> words_;
    std::uint8_t* const bytes_;
    alignas(64) std::atomic<std::uint64_t> written_{0};  // bytes since the start
    std::atomic<std::uint64_t> missed_{0};
    // a cache line for each side, so that reader and writer do not slow each other down
    alignas(64) std::atomic<std::uint64_t> taken_{0};
  };

  Tap() = default;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  /// Adds the lane of a thread.
  /// requires: the threads have not started
  Lane& add_lane() { return lanes_.emplace_back(kLaneBytes); }

  /// Calls `take` for the oldest exchanges of each lane.
  /// most: of each lane
  /// returns: the number of exchanges
  /// thread: one
  std::size_t drain(std::size_t most, const Take& take);
  /// Returns the number of messages that all lanes have missed.
  /// thread: any
  std::uint64_t missed() const;

 private:
  std::deque<Lane> lanes_;
};

}  // namespace meshdns::server
