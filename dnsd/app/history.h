#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/time/time.h"
#include "dnsd/app/page.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Keeps the latest changes of answers, as events: the last kMostOfHost of each host, at most kMost and kMostBytes in
/// all. The oldest go first. Pure.
class History {
 public:
  static constexpr std::size_t kMostOfHost = 64;
  static constexpr std::size_t kMost = 20000;
  static constexpr std::size_t kMostBytes = 16UL << 20;  // of memory, about
  static constexpr std::size_t kMostInReply = 1000;
  /// The name in tokens of pages.
  static constexpr const char* kListing = "Events";

  /// first: the id of the first event; greater than any id of an earlier run, so that clients may go on after a restart
  explicit History(std::uint64_t first) : next_(first) {}

  /// Adds an event and gives it its id.
  void add(v1::Event event, TimePoint at);

  /// The events that a reply has if not all of them fit.
  enum class Keep : std::uint8_t { Newest, Oldest };
  struct Look {
    std::uint64_t after = 0;  // the id of the last event that is known already
    std::string host{};       // empty = all events
    Keep keep = Keep::Newest;
    PageBounds bounds{.rows = kMostInReply};
  };
  /// Returns the events after `look.after`, oldest first. For one host these are the events about that host and those
  /// about the whole mesh. With Keep::Oldest, `last` and `continue` say where the next reply goes on.
  v1::EventsReply later_than(const Look& look, TimePoint now) const;
  /// Whether later_than() would return an event.
  bool has_later_than(std::uint64_t after, const std::string& host) const;
  /// The id of the newest event; 0 = there is none.
  std::uint64_t last() const { return entries_.empty() ? 0 : entries_.rbegin()->first; }
  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  bool knows(const std::string& host) const { return of_host_.contains(host); }

 private:
  struct Entry {
    v1::Event event;
    TimePoint at;
    std::size_t bytes = 0;
  };
  std::vector<std::uint64_t> ids_after(std::uint64_t after, const std::string& host) const;
  v1::Event event_at(std::uint64_t id, TimePoint now) const;
  void drop_oldest();
  /// Drops the oldest event of a host.
  void forget(const std::string& host);

  std::map<std::uint64_t, Entry> entries_;
  std::unordered_map<std::string, std::deque<std::uint64_t>> of_host_;  // ids, oldest first; "" = the mesh
  std::uint64_t next_;
  std::size_t bytes_ = 0;
};

}  // namespace meshdns::dnsd::app
