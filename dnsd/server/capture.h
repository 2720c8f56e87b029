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

/// A query that was answered, as an operator sees it.
struct CapturedQuery {
  TimePoint at{};
  IpAddress client;
  std::uint16_t listener = 0;
  bool stream = false;
  bool truncated = false;
  wire::Type type{};
  std::uint8_t rcode = 0;            // of the header, without the upper bits from EDNS
  std::uint16_t answers = 0;         // records in the answer section
  std::optional<std::uint8_t> tier;  // number of the tier, if a host was answered with addresses
  std::uint8_t name_length = 0;
  std::array<std::uint8_t, wire::kMaxName> name;  // folded

  wire::NameBytes name_view() const { return wire::NameBytes(name).first(name_length); }
};

/// Shows single queries to an operator. While it is off, it costs a DNS thread one relaxed load per batch. While it is
/// on, a DNS thread never waits: if its lane is full or is being emptied, the query is only counted as missed.
/// thread: start(), stop(), take(): one; each lane: its own DNS thread
class Capture {
 public:
  static constexpr std::size_t kMost = 256;  // queries that one lane keeps between two calls of take()

  /// The queries that are wanted.
  struct Filter {
    std::vector<std::uint8_t> host;  // wire form, folded: this name and names below it; empty = all
    std::optional<Prefix> client;    // clients in this prefix; nothing = all
  };

  /// An answer, and what it depended on.
  struct Answered {
    std::span<const std::uint8_t> message;  // the answer; empty = the query was dropped
    const wire::Query& query;               // parsed from the request; not valid if that failed
    IpAddress client;
    std::uint16_t listener = 0;
    bool stream = false;
    TimePoint at{};
    std::uint32_t unix_seconds = 0;  // valid if the table has timed hosts
    const answers::AnswerTable& table;
  };

  /// The queries of one DNS thread. `on` must outlive this.
  class Lane {
   public:
    explicit Lane(const std::atomic<bool>& on) : on_(on) {}
    bool on() const noexcept { return on_.load(std::memory_order_relaxed); }
    /// Adds a query, if the filter wants it and there is room.
    void note(const Answered& answered) noexcept;

   private:
    friend class Capture;
    bool wants(wire::NameBytes name, const IpAddress& client) const noexcept;

    const std::atomic<bool>& on_;
    std::atomic<std::uint64_t> missed_{0};
    std::mutex mutex_;
    Filter filter_;
    std::vector<CapturedQuery> queries_;  // has room for kMost while capturing is on
  };

  /// The result of take().
  struct Taken {
    std::vector<CapturedQuery> queries;  // in the order of their times
    std::uint64_t missed = 0;            // at least as many more were answered; the filter may not want them
  };

  Capture() = default;
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  /// Adds the lane of a thread.
  /// requires: the threads have not started
  Lane& add_lane() { return lanes_.emplace_back(on_); }

  /// Starts capturing with an empty buffer.
  void start(const Filter& filter);
  /// Stops capturing and frees the memory.
  void stop();
  /// Returns the queries that were added since the last call.
  Taken take();

 private:
  std::atomic<bool> on_{false};
  std::deque<Lane> lanes_;
};

}  // namespace meshdns::server
