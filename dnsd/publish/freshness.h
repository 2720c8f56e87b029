#pragma once

#include <functional>
#include <optional>

#include "common/time/time.h"
#include "dnsd/publish/publisher.h"

namespace meshdns::publish {

/// Looks each second whether what a replica serves is older than it should be; the answers then say so.
/// thread: control
class Freshness {
 public:
  static constexpr Duration kInterval = 1s;

  /// silence: since when the federation was not heard
  struct Source {
    std::function<Duration()> silence;
    std::function<Duration()> stale_after;
  };

  Freshness(Timers& timers, Publisher& publisher, Source source);
  Freshness(const Freshness&) = delete;
  Freshness& operator=(const Freshness&) = delete;
  ~Freshness();

  /// Now, and each kInterval from the first call on.
  void watch();

 private:
  Timers& timers_;
  Publisher& publisher_;
  Source source_;
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::publish
