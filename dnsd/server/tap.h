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

/// A query and what it got, as they were on the wire.
struct Exchange {
  TimePoint at{};
  IpAddress client;
  std::uint16_t client_port = 0;
  std::uint16_t listener = 0;
  bool stream = false;
  std::span<const std::uint8_t> query;
  std::span<const std::uint8_t> answer;  // empty = there was none

  unsigned messages() const { return answer.empty() ? 1 : 2; }
};

/// All that is asked and answered, for one consumer. A thread that finds its lane full goes on, and counts what is
/// lost.
class Tap {
 public:
  static constexpr std::size_t kLaneBytes = 2 << 20;

  using Take = std::function<void(const Exchange&)>;

  /// Where one thread leaves what it has answered: a ring of bytes, without locks.
  class Lane {
   public:
    /// capacity: a power of 2
    explicit Lane(std::size_t capacity);

    /// thread: the lane's own
    void note(const Exchange& exchange) noexcept;
    /// Hands over at most `most`, the oldest first; their bytes stay until `take` returns.
    /// returns: how many there were. thread: the consumer's
    std::size_t drain(std::size_t most, const Take& take);
    /// Messages for which there was no room. thread: any
    std::uint64_t missed() const { return missed_.load(std::memory_order_relaxed); }

   private:
    struct Head;

    std::size_t place(std::uint64_t position) const { return static_cast<std::size_t>(position & (capacity_ - 1)); }

    const std::size_t capacity_;
    const std::unique_ptr<std::uint64_t[]> words_;
    std::uint8_t* const bytes_;
    alignas(64) std::atomic<std::uint64_t> written_{0};  // bytes since the start
    std::atomic<std::uint64_t> missed_{0};
    alignas(64) std::atomic<std::uint64_t> taken_{0};
  };

  Tap() = default;
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  /// Before the threads start.
  Lane& add_lane() { return lanes_.emplace_back(kLaneBytes); }

  /// At most `most` of each lane. thread: one
  std::size_t drain(std::size_t most, const Take& take);
  /// thread: any
  std::uint64_t missed() const;

 private:
  std::deque<Lane> lanes_;
};

}  // namespace meshdns::server
