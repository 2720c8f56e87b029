#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/time/duration_text.h"

namespace meshdns::log {

enum class Level { Debug, Info, Warn, Error };
/// "debug", "info", "warn", "error"
std::optional<Level> level_named(std::string_view name);

/// Text: "2026-11-29T10:00:00.000000Z info agent connected node=n1". Json: an object a line, with time, level, event
/// and the fields.
enum class Format { Text, Json };

/// One key=value of a log line. Values are quoted where they need it; what a terminal would obey is escaped.
struct Field {
  std::string_view key;
  std::string value;
  bool literal = false;  // in JSON it stands without quotes: a whole number, true or false

  Field(std::string_view k, std::string_view text) : key(k), value(text) {}
  Field(std::string_view k, const char* text) : key(k), value(text) {}
  Field(std::string_view k, const std::string& text) : key(k), value(text) {}
  Field(std::string_view k, bool yes) : key(k), value(yes ? "true" : "false"), literal(true) {}
  /// Whole milliseconds; shorter ones exactly.
  Field(std::string_view k, Duration duration)
      : key(k),
        value(duration_text(duration < 1ms ? duration : std::chrono::floor<std::chrono::milliseconds>(duration))) {}
  Field(std::string_view k, const meshdns::Error& error) : key(k), value(error.message()) {}
  template <class Number>
  requires(std::integral<Number> || std::floating_point<Number>) Field(std::string_view k, Number number)
      : key(k), value(std::to_string(number)), literal(std::integral<Number>) {}
};

using Fields = std::initializer_list<Field>;

/// One line on standard error: time, level, event, fields. Never per query. Where standard error is the journal, the
/// line's priority comes first. From start_thread() on it waits for nobody.
/// thread: any
void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) { write(Level::Debug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::Info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::Warn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::Error, event, fields); }

/// Lines below `level` are dropped; Info at start.
void set_level(Level level);
/// The same for good: later calls of set_level() do nothing.
void fix_level(Level level);

void set_format(Format format);

/// From now on a thread of its own writes the lines, and lines that standard error does not take in time are dropped
/// and counted (LineWriter). For daemons, before other threads are started.
/// errors: Unavailable: no thread can be had
Result<void> start_thread();
/// Gives the thread a second to write what is left. At the end of the process.
void end_thread();
/// The lines that were lost since the start.
std::uint64_t dropped_lines();

/// "event key=value key2=\"two words\"", as write() prints it behind time and level; for tests and status texts.
std::string line_text(std::string_view event, Fields fields);
/// The members of the line's JSON object behind time and level.
std::string json_text(std::string_view event, Fields fields);

}  // namespace meshdns::log
