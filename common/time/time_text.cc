#include "common/time/time_text.h"

#include <fmt/format.h>
#include <chrono>

#include "common/base/text.h"

namespace meshdns {
namespace {

constexpr std::string_view kForm = "0000-00-00T00:00:00Z";

bool has_form(std::string_view text) {
  if (text.size() != kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return false;
  }
  return true;
}

unsigned number_at(std::string_view text, std::size_t at, std::size_t size) {
  return static_cast<unsigned>(parse_uint(text.substr(at, size)).value_or(0));
}

}  // namespace

Result<std::int64_t> parse_time(std::string_view text) {
  const Error wrong(Code::InvalidArgument, fmt::format("expected a time like 2026-11-27T18:00:00Z (got {})", text));
  if (!has_form(text)) return wrong;
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number_at(text, 0, 4))),
                                        std::chrono::month(number_at(text, 5, 2)),
                                        std::chrono::day(number_at(text, 8, 2))};
  const unsigned hour = number_at(text, 11, 2);
  const unsigned minute = number_at(text, 14, 2);
  const unsigned second = number_at(text, 17, 2);
  if (!day.ok() || day.year() < std::chrono::year(1970) || hour > 23 || minute > 59 || second > 59) return wrong;
  const auto days = std::chrono::sys_days(day).time_since_epoch().count();
  return std::int64_t{days} * 86400 + hour * 3600 + minute * 60 + second;
}

std::string time_text(std::int64_t unix_seconds) {
  const auto at = std::chrono::sys_seconds(std::chrono::seconds(unix_seconds));
  const auto midnight = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day day(midnight);
  const auto rest = (at - midnight).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(day.year()),
                     static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()), rest / 3600,
                     rest % 3600 / 60, rest % 60);
}

}  // namespace meshdns
