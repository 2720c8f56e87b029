#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/time/time.h"
#include "dnsd/resources/resource.h"

namespace meshdns::resources {

/// Decides which object's status is written to the Kubernetes API, and when.
///
/// How it works: of each object the queue has the status that the API has and the one that it should have. Where both
/// differ, the object is due: at once if a condition has another status or reason or if the object has a new
/// generation, and at most every `calm` if only texts and measurements differ. One patch is under way at a time, and
/// they are sent `spacing` apart. The event that a patch causes says what the API has then, which is no difference, so
/// that nothing follows from it.
///
/// A patch replaces the list of conditions. So conditions of types that are not ours are sent as they are.
class StatusQueue {
 public:
  struct Limits {
    Duration calm = 10s;
    Duration spacing = 100ms;
    Duration shortest_backoff = 1s;
    Duration longest_backoff = 1min;
  };
  /// A request to be made.
  struct Patch {
    std::string key, path;
    std::string body;  // a merge patch of the object's status
  };

  /// types: of the conditions that are ours; the others belong to whoever wrote them
  explicit StatusQueue(Limits limits,
                       std::set<std::string> types = {"Accepted", "Programmed", "Degraded", "NamesResolved"})
      : limits_(limits), types_(std::move(types)) {}

  /// The API has an object like this.
  void has(const Resource& resource, TimePoint now);
  /// The API has the object no more.
  void forget(const std::string& key);
  /// The status that an object should have. Times and generations of its conditions are filled in by the queue.
  /// generation: of the version that the status is about
  void want(const std::string& key, Status status, std::int64_t generation, TimePoint now);

  /// Returns the next patch, if one is due and none is under way.
  /// unix_seconds: for lastTransitionTime
  std::optional<Patch> next(TimePoint now, std::int64_t unix_seconds);
  /// Returns when next() may return a patch, unless something comes before; nothing = none is due.
  std::optional<TimePoint> due() const;
  /// The patch under way is over.
  /// written: false = try again, each time later
  void done(bool written, TimePoint now);

  std::size_t waiting() const { return due_.size(); }

 private:
  struct Item {
    Resource resource;
    Status wanted;
    std::int64_t generation = 0;   // of `wanted`; 0 = nothing is wanted yet
    std::optional<TimePoint> due;  // the item is in due_
    TimePoint calm_until{Duration::min()};
    TimePoint retry_at{Duration::min()};
    unsigned failures = 0;  // in a row
  };

  /// Puts an item into due_, or takes it out.
  void plan(const std::string& key, Item& item, TimePoint now);
  /// How much the status of an item differs from the wanted one.
  enum class Difference : std::uint8_t { None, Texts, States };
  Difference difference(const Item& item) const;
  /// Returns the wanted status as it is written, with times, generations, and the conditions of others.
  Status status_to_write(const Item& item, std::int64_t unix_seconds) const;
  bool is_ours(const Condition& condition) const { return types_.contains(condition.type); }

  const Limits limits_;
  const std::set<std::string> types_;
  std::map<std::string, Item> items_;
  std::set<std::pair<TimePoint, std::string>> due_;
  std::optional<std::string> under_way_;  // the key of the patch
  Status written_;                        // by the patch under way
  TimePoint next_at_{Duration::min()};    // no patch before
};

}  // namespace meshdns::resources
