#include "common/time/duration_text.h"

#include <fmt/format.h>
#include <array>
#include <charconv>
#include <cmath>

namespace meshdns {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};

// Largest first; "ms" before "m" is settled by comparing whole unit words.
constexpr std::array kUnits = {
    Unit{"d", std::chrono::hours(24)},        Unit{"h", std::chrono::hours(1)},
    Unit{"m", std::chrono::minutes(1)},       Unit{"s", std::chrono::seconds(1)},
    Unit{"ms", std::chrono::milliseconds(1)}, Unit{"us", std::chrono::microseconds(1)},
    Unit{"ns", std::chrono::nanoseconds(1)},
};

constexpr Duration kLongest = std::chrono::hours(24 * 365 * 100);

Error bad(std::string_view text) {
  return {Code::InvalidArgument,
          fmt::format("expected a duration with a unit like 500ms, 5s or 1h (got \"{}\")", text)};
}

const Unit* find_unit(std::string_view name) {
  for (const auto& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration::zero();
  if (text.empty()) return bad(text);
  Duration total{0};
  Duration smallest = kLongest;
  for (std::string_view rest = text; !rest.empty();) {
    double count = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), count, std::chars_format::fixed);
    if (error != std::errc{} || rest.front() == '-') return bad(text);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const auto word = rest.substr(0, rest.find_first_of("0123456789."));
    const Unit* unit = find_unit(word);
    if (unit == nullptr || unit->length >= smallest) return bad(text);
    rest.remove_prefix(word.size());
    smallest = unit->length;
    const double nanoseconds = count * static_cast<double>(unit->length.count());
    if (nanoseconds > static_cast<double>((kLongest - total).count())) return bad(text);
    total += Duration(std::llround(nanoseconds));
  }
  return total;
}

std::string duration_text(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  std::string out;
  for (const auto& unit : kUnits) {
    const auto count = duration / unit.length;
    if (count == 0) continue;
    out += fmt::format("{}{}", count, unit.name);
    duration -= count * unit.length;
  }
  return out;
}

std::string age_text(Duration age) {
  if (age < Duration::zero()) age = Duration::zero();
  for (std::size_t i = 0; i < 3; ++i) {
    const auto count = age / kUnits[i].length;
    if (count == 0) continue;
    const auto rest = (age - count * kUnits[i].length) / kUnits[i + 1].length;
    if (rest == 0) return fmt::format("{}{}", count, kUnits[i].name);
    return fmt::format("{}{}{}{}", count, kUnits[i].name, rest, kUnits[i + 1].name);
  }
  if (age < 10s) return fmt::format("{:.1f}s", static_cast<double>(age / 100ms) / 10.0);
  return fmt::format("{}s", age / 1s);
}

}  // namespace meshdns
