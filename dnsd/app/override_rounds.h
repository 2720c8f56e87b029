#pragma once

#include <functional>
#include <optional>

#include "common/time/time.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/topology/words.h"

namespace meshdns::dnsd::app {

/// Ends overrides whose time is over, once a second, and logs all overrides that begin or end, from whatever source.
/// thread: control
class OverrideRounds {
 public:
  static constexpr Duration kInterval = 1s;

  struct Environment {
    Timers& timers;
    const Clock& clock;
    const catalog::Catalog& catalog;
    std::function<void()> expire;  // ends the overrides whose time is over
  };

  /// The references in `environment` must outlive it.
  explicit OverrideRounds(Environment environment) : environment_(std::move(environment)) {}
  OverrideRounds(const OverrideRounds&) = delete;
  OverrideRounds& operator=(const OverrideRounds&) = delete;
  ~OverrideRounds();

  /// Runs a round now, and again after each kInterval. Call it once.
  void watch();

 private:
  /// Logs the differences between the overrides in force and `told_`.
  void tell();

  Environment environment_;
  topology::Overrides told_;  // overrides whose begin is logged
  std::optional<TimerId> timer_;
};

}  // namespace meshdns::dnsd::app
