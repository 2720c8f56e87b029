#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/log/log.h"
#include "common/time/time.h"

namespace meshdns::log {

/// Writes lines of one kind that a peer can cause at will: so many in each interval, and then how many were left out.
/// A flood costs a few lines and a count, and the first lines of it can be read.
/// thread: one at a time
class Ration {
 public:
  static constexpr std::uint64_t kLines = 20;
  static constexpr Duration kInterval = 10s;

  /// kind: for the line that tells how many were left out; lines: in an interval
  explicit Ration(std::string kind, std::uint64_t lines = kLines) : kind_(std::move(kind)), most_(lines) {}

  void write(TimePoint now, Level level, std::string_view event, Fields fields) {
    look(now);
    if (told_ >= most_) {
      ++left_out_;
      return;
    }
    ++told_;
    log::write(level, event, fields);
  }
  void warn(TimePoint now, std::string_view event, Fields fields) { write(now, Level::Warn, event, fields); }
  void info(TimePoint now, std::string_view event, Fields fields) { write(now, Level::Info, event, fields); }

  /// Tells what was left out when the interval is over; called now and then, so that the count of a flood that has
  /// ended is told, too.
  void look(TimePoint now) {
    if (now - begun_ < kInterval) return;
    begun_ = now;
    told_ = 0;
    if (left_out_ > 0) log::warn("log lines left out", {{"kind", kind_}, {"lines", std::exchange(left_out_, 0)}});
  }
  /// The lines that were left out and not told yet.
  std::uint64_t left_out() const { return left_out_; }

 private:
  const std::string kind_;
  const std::uint64_t most_;
  TimePoint begun_{-kInterval};
  std::uint64_t told_ = 0;  // in this interval
  std::uint64_t left_out_ = 0;
};

}  // namespace meshdns::log
