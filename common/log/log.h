#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/time/duration_text.h"

namespace meshdns::log {

enum class Level { Debug, Info, Warn, Error };

/// One key=value of a log line. Values with spaces or quotes are quoted when written.
struct Field {
  std::string_view key;
  std::string value;

  Field(std::string_view k, std::string_view text) : key(k), value(text) {}
  Field(std::string_view k, const char* text) : key(k), value(text) {}
  Field(std::string_view k, const std::string& text) : key(k), value(text) {}
  Field(std::string_view k, bool yes) : key(k), value(yes ? "true" : "false") {}
  /// Whole milliseconds; shorter ones exactly.
  Field(std::string_view k, Duration duration)
      : key(k),
        value(duration_text(duration < 1ms ? duration : std::chrono::floor<std::chrono::milliseconds>(duration))) {}
  Field(std::string_view k, const meshdns::Error& error) : key(k), value(error.message()) {}
  template <class Number>
  requires(std::integral<Number> || std::floating_point<Number>) Field(std::string_view k, Number number)
      : key(k), value(std::to_string(number)) {}
};

using Fields = std::initializer_list<Field>;

/// One line on standard error: time, level, event, fields. Never per query.
/// thread: any
void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) { write(Level::Debug, event, fields); }
inline void info(std::string_view event, Fields fields = {}) { write(Level::Info, event, fields); }
inline void warn(std::string_view event, Fields fields = {}) { write(Level::Warn, event, fields); }
inline void error(std::string_view event, Fields fields = {}) { write(Level::Error, event, fields); }

/// Lines below `level` are dropped; Info at start.
void set_level(Level level);

/// "event key=value key2=\"two words\"", as write() prints it behind time and level; for tests and status texts.
std::string line_text(std::string_view event, Fields fields);

}  // namespace meshdns::log
