#include "common/log/log.h"

#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "common/base/printable.h"
#include "common/log/line_writer.h"

namespace meshdns::log {
namespace {

constexpr Duration kLastWords = 1s;  // how long the end of the process waits for the log's reader

/// Whether standard error is the journal, which reads a priority at the start of a line.
/// source: systemd.exec(5) $JOURNAL_STREAM, sd-daemon(3)
bool writes_to_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &file) != 0) return false;
  return stream == std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino);
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

/// source: syslog(3)
const char* priority(Level level) {
  switch (level) {
    case Level::Debug: return "<7>";
    case Level::Info: return "<6>";
    case Level::Warn: return "<4>";
    case Level::Error: break;
  }
  return "<3>";
}

std::unique_ptr<spdlog::pattern_formatter> formatter(const char* pattern) {
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc);
}

/// The log of the process.
class Output {
 public:
  static Output& of_process() {
    static Output* const output = new Output;  // never destroyed: threads may log while the process ends
    return *output;
  }

  void write(Level level, std::string_view event, Fields fields) {
    if (level >= level_.load(std::memory_order_relaxed)) writer_.put(line(level, event, fields));
  }
  void set_level(Level level) {
    if (!fixed_) level_ = level;
  }
  void fix_level(Level level) {
    level_ = level;
    fixed_ = true;
  }
  void set_format(Format format) { format_ = format; }
  LineWriter& writer() { return writer_; }

 private:
  std::string line(Level level, std::string_view event, Fields fields) {
    const bool json = format_ == Format::Json;
    const std::string payload = json ? json_text(event, fields) : line_text(event, fields);
    const spdlog::details::log_msg message("meshdns", level_of(level), payload);
    spdlog::memory_buf_t buffer;
    const std::lock_guard lock(mutex_);  // spdlog's formatters are not thread-safe
    (json ? json_ : text_)->format(message, buffer);
    return (journal_ ? priority(level) : "") + std::string(buffer.data(), buffer.size());
  }

  const bool journal_ = writes_to_journal();
  std::atomic<Level> level_ = Level::Info;
  std::atomic<bool> fixed_ = false;
  std::atomic<Format> format_ = Format::Text;
  std::mutex mutex_;
  const std::unique_ptr<spdlog::pattern_formatter> text_ = formatter("%Y-%m-%dT%H:%M:%S.%fZ %l %v");
  const std::unique_ptr<spdlog::pattern_formatter> json_ =
      formatter(R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})");
  LineWriter writer_{STDERR_FILENO, [this](std::uint64_t count) {
                       return line(Level::Warn, "log lines are missing", {{"count", count}});
                     }};
};

bool is_plain(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > ' ' && c != '"' && c != '=' && c != 0x7f; });
}

/// Appends the value between quotes. The result is always one line, whatever a peer sends: line ends become blanks, and
/// other control characters are escaped.
/// invalid: the text for a byte that is not UTF-8; empty = the byte's number
void append_value_quoted(std::string& out, std::string_view value, std::string_view invalid) {
  append_quoted(out, value, [invalid](std::string_view character, const PrintableEscape& escape) {
    const bool blank = character[0] == '\n' || character[0] == '\r' || character[0] == '\t';
    return blank ? " " : escape.is_invalid() && !invalid.empty() ? invalid : escape.view();
  });
}

void append_value(std::string& out, std::string_view value) {
  if (is_plain(value)) {
    out += value;
  } else {
    append_value_quoted(out, value, "");
  }
}

void append_json(std::string& out, std::string_view value) { append_value_quoted(out, value, "\\ufffd"); }

}  // namespace

std::string line_text(std::string_view event, Fields fields) {
  std::string out = printable(event);
  for (const Field& field : fields) {
    ((out += ' ') += field.key) += '=';
    append_value(out, field.value);
  }
  return out;
}

std::string json_text(std::string_view event, Fields fields) {
  std::string out = "\"event\":";
  append_json(out, event);
  for (const Field& field : fields) {
    out += ',';
    append_json(out, field.key);
    out += ':';
    if (field.literal) {
      out += field.value;
    } else {
      append_json(out, field.value);
    }
  }
  return out;
}

std::optional<Level> level_named(std::string_view name) {
  if (name == "debug") return Level::Debug;
  if (name == "info") return Level::Info;
  if (name == "warn") return Level::Warn;
  if (name == "error") return Level::Error;
  return std::nullopt;
}

void write(Level level, std::string_view event, Fields fields) { Output::of_process().write(level, event, fields); }

void set_level(Level level) { Output::of_process().set_level(level); }

void fix_level(Level level) { Output::of_process().fix_level(level); }

void set_format(Format format) { Output::of_process().set_format(format); }

Result<void> start_thread() { return Output::of_process().writer().start(); }

void end_thread() { Output::of_process().writer().finish(kLastWords); }

std::uint64_t dropped_lines() { return Output::of_process().writer().dropped(); }

}  // namespace meshdns::log
