#include "common/log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

namespace meshdns::log {
namespace {

std::shared_ptr<spdlog::logger> make_logger() {
  auto logger = std::make_shared<spdlog::logger>("meshdns", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %v", spdlog::pattern_time_type::utc);
  logger->flush_on(spdlog::level::debug);
  return logger;
}

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = make_logger();
  return *instance;
}

spdlog::level::level_enum level_of(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warn: return spdlog::level::warn;
    case Level::Error: break;
  }
  return spdlog::level::err;
}

bool is_plain(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c != '"' && c != '=' && c != 0x7f; });
}

// Control characters never reach the log: a line stays a line whatever a peer sends.
void append_value(std::string& out, std::string_view value) {
  if (is_plain(value)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else {
      out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? ' ' : c;
    }
  }
  out += '"';
}

}  // namespace

std::string line_text(std::string_view event, Fields fields) {
  std::string out(event);
  for (const Field& field : fields) {
    ((out += ' ') += field.key) += '=';
    append_value(out, field.value);
  }
  return out;
}

void write(Level level, std::string_view event, Fields fields) {
  if (logger().should_log(level_of(level))) logger().log(level_of(level), line_text(event, fields));
}

void set_level(Level level) { logger().set_level(level_of(level)); }

}  // namespace meshdns::log
