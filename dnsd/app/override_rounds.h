#pragma once

#include <functional>
#include <optional>

#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/topology/words.h"

namespace meshdns::app {

/// Looks each second for overrides that are over, and tells in the log which come and go, whoever makes them.
/// thread: control
class OverrideRounds {
 public:
  static constexpr Duration kInterval = 1s;

  struct Environment {
    Timers& timers;
    const Clock& clock;
    const catalog::Catalog& catalog;
    std::function<void()> expire;  // ends what is over
  };

  explicit OverrideRounds(Environment environment) : environment_(std::move(environment)) {}
  OverrideRounds(const OverrideRounds&) = delete;
  OverrideRounds& operator=(const OverrideRounds&) = delete;
  ~OverrideRounds();

  /// Now, and each kInterval from the first call on.
  void watch();

 private:
  void tell();

  Environment environment_;
  topology::Overrides told_;
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::app
