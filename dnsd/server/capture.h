#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "common/net/prefix.h"
#include "common/time/time.h"
#include "dnsd/answers/answer_table.h"
#include "dnsd/wire/message.h"

namespace meshdns::server {

/// One query that was answered.
struct CapturedQuery {
  TimePoint at{};
  IpAddress client;
  std::uint16_t listener = 0;
  bool stream = false;
  bool truncated = false;
  wire::Type type{};
  std::uint8_t rcode = 0;            // of the header: without the upper bits of EDNS
  std::uint16_t answers = 0;         // records in the answer section
  std::optional<std::uint8_t> tier;  // of the host's addresses
  std::uint8_t name_length = 0;
  std::array<std::uint8_t, wire::kMaxName> name;  // folded

  wire::NameBytes name_view() const { return wire::NameBytes(name).first(name_length); }
};

/// Single queries for an operator who wants to see some. Off, it costs a thread one relaxed load a batch; on, a thread
/// that finds no room, or its lane being emptied, goes on and counts what is missed.
/// thread: start(), stop(), take(): one; lanes: each its own
class Capture {
 public:
  static constexpr std::size_t kMost = 256;  // of one thread between two looks

  struct Filter {
    std::vector<std::uint8_t> host;  // wire form, folded: this name and what is below; empty = all
    std::optional<Prefix> client;    // nothing = all
  };

  /// What an answer came from.
  struct Answered {
    std::span<const std::uint8_t> message;  // the answer; empty = there was none
    const wire::Query& query;               // as it was read; another one's if it was not
    IpAddress client;
    std::uint16_t listener = 0;
    bool stream = false;
    TimePoint at{};
    std::uint32_t unix_seconds = 0;  // where the table has timed hosts
    const answers::AnswerTable& table;
  };

  /// Where one thread leaves what it has answered.
  class Lane {
   public:
    explicit Lane(const std::atomic<bool>& on) : on_(on) {}
    bool on() const noexcept { return on_.load(std::memory_order_relaxed); }
    void note(const Answered& answered) noexcept;

   private:
    friend class Capture;
    bool wants(wire::NameBytes name, const IpAddress& client) const noexcept;

    const std::atomic<bool>& on_;
    std::atomic<std::uint64_t> missed_{0};
    std::mutex mutex_;
    Filter filter_;
    std::vector<CapturedQuery> queries_;  // has room for kMost while it is on
  };

  struct Taken {
    std::vector<CapturedQuery> queries;  // in the order of their times
    std::uint64_t missed = 0;            // at least so many more, which the filter may not want
  };

  Capture() = default;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// Before the threads start.
  Lane& add_lane() { return lanes_.emplace_back(on_); }

  void start(const Filter& filter);
  void stop();
  /// What came since the last call.
  Taken take();

 private:
  std::atomic<bool> on_{false};
  std::deque<Lane> lanes_;
};

}  // namespace meshdns::server
