#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/log/log.h"
#include "common/time/time.h"

namespace meshdns::log {

/// Writes log lines of one kind that a peer can cause at will: at most `lines` in each interval, and afterwards one
/// line with the number of lines left out. A flood costs a few lines and a count, and its first lines can be read.
/// thread: not locked; one thread at a time
class Ration {
 public:
  static constexpr std::uint64_t kLines = 20;
  static constexpr Duration kInterval = 10s;

  /// kind:     names the lines in the line that reports how many were left out
  /// lines:    the most lines in an interval
  /// interval: at most kInterval
  explicit Ration(std::string kind, std::uint64_t lines = kLines, Duration interval = kInterval)
      : kind_(std::move(kind)), most_(lines), interval_(interval) {}

  void write(TimePoint now, Level level, std::string_view event, Fields fields) {
    if (admits(now)) log::write(level, event, fields);
  }
  /// Returns whether one more line may be written now. A line that may not counts as left out.
  bool admits(TimePoint now) {
    look(now);
    if (told_ >= most_) {
      ++left_out_;
      return false;
    }
    ++told_;
    return true;
  }
  void warn(TimePoint now, std::string_view event, Fields fields) { write(now, Level::Warn, event, fields); }
  void info(TimePoint now, std::string_view event, Fields fields) { write(now, Level::Info, event, fields); }

  /// Logs the number of lines left out, if the interval is over. Call it now and then, so that the count is also logged
  /// after a flood that has ended.
  void look(TimePoint now) {
    if (!is_over(now)) return;
    begun_ = now;
    told_ = 0;
    if (left_out_ > 0) log::warn("log lines left out", {{"kind", kind_}, {"lines", std::exchange(left_out_, 0)}});
  }
  /// Whether the interval of the last line is over.
  bool is_over(TimePoint now) const { return now - begun_ >= interval_; }
  /// The number of lines that were left out and that look() has not logged yet.
  std::uint64_t left_out() const { return left_out_; }

 private:
  const std::string kind_;
  const std::uint64_t most_;
  const Duration interval_;
  TimePoint begun_{-kInterval};
  std::uint64_t told_ = 0;  // lines written in this interval
  std::uint64_t left_out_ = 0;
};

}  // namespace meshdns::log
