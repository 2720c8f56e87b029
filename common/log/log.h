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
/// Returns the level called "debug", "info", "warn" or "error".
std::optional<Level> level_named(std::string_view name);

/// The format of a line. Text: "2026-11-29T10:00:00.000000Z info agent connected node=n1". Json: one object per line,
/// with time, level, event and the fields.
enum class Format { Text, Json };

/// One key=value of a log line. Values are quoted where needed, and terminal control characters are escaped. `key` must
/// outlive the call that gets the field.
struct Field {
  std::string_view key;
  std::string value;
  bool literal = false;  // written without quotes in JSON: a whole number, true or false

  Field(std::string_view k, std::string_view text) : key(k), value(text) {}
  Field(std::string_view k, const char* text) : key(k), value(text) {}
  Field(std::string_view k, const std::string& text) : key(k), value(text) {}
  Field(std::string_view k, bool yes) : key(k), value(yes ? "true" : "false"), literal(true) {}
  /// Durations are cut to whole milliseconds; those below a millisecond are exact.
  Field(std::string_view k, Duration duration)
      : key(k),
        value(duration_text(duration < 1ms ? duration : std::chrono::floor<std::chrono::milliseconds>(duration))) {}
  Field(std::string_view k, const meshdns::Error& error) : key(k), value(error.message()) {}
  template <class Number>
  requires(std::integral<Number> || std::floating_point<Number>) Field(std::string_view k, Number number)
      : key(k), value(std::to_string(number)), literal(std::integral<Number>) {}
};

using Fields = std::initializer_list<Field>;

/// Writes one line to standard error: time, level, event, fields. Must not be called per query. If standard error is
/// the journal, the line starts with its priority. After start_thread() the call never blocks.
/// thread: any
void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) { write(Level::Debug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::Info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::Warn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::Error, event, fields); }

/// Drops lines below `level` from now on. The level at the start is Info.
void set_level(Level level);
/// Like set_level(), but final: later calls of set_level() do nothing.
void fix_level(Level level);

void set_format(Format format);

/// Starts a thread that writes the lines. Lines that standard error does not take in time are dropped and counted
/// (LineWriter). Daemons call this before they start other threads.
/// errors: Unavailable: the system gives no thread
Result<void> start_thread();
/// Gives the thread a second to write the queued lines. Called at the end of the process.
void end_thread();
/// The number of lines that were dropped since the start.
std::uint64_t dropped_lines();

/// Returns "event key=value key2=\"two words\"", as write() prints it after time and level; for tests and status texts.
std::string line_text(std::string_view event, Fields fields);
/// Returns the members of the line's JSON object that follow time and level.
std::string json_text(std::string_view event, Fields fields);

}  // namespace meshdns::log
