#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/log/log.h"
#include "common/log/reminder.h"

namespace meshdns::rpc {

/// Counts the durations of a federation that are out of bounds, for which the bound counts, and logs one of them a
/// minute. convert::out_of_bounds() finds them.
/// thread: not locked; one thread at a time
class ClampedDurations {
 public:
  /// Takes note of one message.
  /// values: the number of durations that are out of bounds; 0 = all are within bounds
  /// field:  of the first one
  /// said:   the first one
  void note(TimePoint now, std::size_t values, std::string_view field, Duration said) {
    count_ += values;
    if (values == 0 || !reminder_.due(now)) return;
    log::warn("durations of the federation are out of bounds: the bounds count",
              {{"values", values}, {"field", field}, {"said", said}});
  }

  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
  log::Reminder reminder_;
};

}  // namespace meshdns::rpc
