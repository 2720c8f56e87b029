#pragma once

#include <functional>
#include <optional>

#include "common/time/time.h"
#include "dnsd/publish/publisher.h"

namespace meshdns::publish {

/// Checks each second whether a replica has been without its federation for longer than `dns.stale_after`, and makes
/// the publisher mark the answers as stale.
/// thread: control
class Freshness {
 public:
  static constexpr Duration kInterval = 1s;

  struct Source {
    std::function<Duration()> silence;      // how long the federation was not heard
    std::function<Duration()> stale_after;  // the longest silence with fresh answers
  };

  /// `timers` and `publisher` must outlive it.
  Freshness(Timers& timers, Publisher& publisher, Source source);
  Freshness(const Freshness&) = delete;
  Freshness& operator=(const Freshness&) = delete;
  ~Freshness();

  /// Checks now, and again after each kInterval. Call it once.
  void watch();

 private:
  Timers& timers_;
  Publisher& publisher_;
  Source source_;
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::publish
