#include "agent/discovery/pod_annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "common/base/hint.h"
#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/time/duration_text.h"

namespace meshdns::discovery {
namespace {

constexpr std::uint64_t kMostOfOneKind = 100;  // of check-rise and check-fall, as in endpoints.d
constexpr std::size_t kMostChecks = 8;
constexpr std::size_t kLongestShown = 64;

/// The annotations of one pod while they are read. Every function that reads one returns nothing if it is missing or
/// wrong, and takes note of what is wrong.
class Annotations {
 public:
  Annotations(const std::map<std::string, std::string>& all, std::vector<std::string>& problems)
      : all_(all), problems_(problems) {}

  void fail(std::string_view name, std::string_view expected, std::string_view got) {
    problems_.push_back(fmt::format("meshdns.io/{}: expected {} (got {})", printable(name), expected,
                                    printable(got.substr(0, kLongestShown))));
  }

  std::optional<std::string_view> text(const std::string& name) const {
    const auto found = all_.find(name);
    if (found == all_.end()) return std::nullopt;
    return trim(found->second);
  }

  std::optional<std::uint32_t> number(const std::string& name, std::uint64_t least, std::uint64_t most) {
    const auto written = text(name);
    if (!written) return std::nullopt;
    const auto value = parse_uint(*written);
    if (value && *value >= least && *value <= most) return static_cast<std::uint32_t>(*value);
    fail(name, fmt::format("{} to {}", least, most), *written);
    return std::nullopt;
  }

  std::optional<Duration> duration(const std::string& name, Duration shortest, Duration longest) {
    const auto written = text(name);
    if (!written) return std::nullopt;
    const auto value = parse_duration(*written);
    if (value && *value >= shortest && *value <= longest) return *value;
    fail(name, fmt::format("{} to {}", duration_text(shortest), duration_text(longest)), *written);
    return std::nullopt;
  }

  /// Returns a DNS label: the name of a service.
  std::string label(const std::string& name) {
    const auto written = text(name);
    if (!written) return {};
    if (is_ldh_label(*written)) return std::string(*written);
    fail(name, "letters, digits and hyphens, at most 63", *written);
    return {};
  }

  /// Returns a port by number or name. Whether the pod has a port of this name is not known here.
  std::string port(const std::string& name) {
    const auto written = text(name);
    if (!written) return {};
    const auto value = parse_uint(*written);
    if (value ? *value >= 1 && *value <= 65535 : is_ldh_label(*written)) return std::string(*written);
    fail(name, "a port's number or name", *written);
    return {};
  }

  /// Reports the names that nobody reads: most are typing errors.
  void report_unknown(const std::vector<std::string>& known) {
    for (const auto& [name, value] : all_) {
      if (std::ranges::find(known, name) != known.end()) continue;
      problems_.push_back("meshdns.io/" + printable(name) + ": unknown annotation" + hint(did_you_mean(name, known)));
    }
  }

 private:
  const std::map<std::string, std::string>& all_;
  std::vector<std::string>& problems_;
};

bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
}

/// Reads "tcp", "tcp:8080", "http:/ready" or "http:web/ready"; nothing = it is none of these.
std::optional<PodSettings::Check> check_of(std::string_view word) {
  const auto colon = word.find(':');
  const std::string_view kind = word.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : word.substr(colon + 1);
  if (kind != "http" && kind != "tcp") return std::nullopt;
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos && kind == "tcp") return std::nullopt;
  PodSettings::Check out;
  if (kind == "http") {
    probes::HttpCheck& http = out.spec.what.emplace<probes::HttpCheck>();
    if (slash != std::string_view::npos) http.path = rest.substr(slash);
  }
  out.port = rest.substr(0, slash);
  if (colon != std::string_view::npos && rest.empty()) return std::nullopt;
  return is_visible(word) ? std::optional(out) : std::nullopt;
}

std::vector<PodSettings::Check> checks_of(Annotations& annotations) {
  std::vector<PodSettings::Check> out;
  std::string words(annotations.text("checks").value_or(""));
  std::ranges::replace(words, ',', ' ');
  for (const std::string_view word : split(words, ' ')) {
    if (word.empty()) continue;
    const auto check = check_of(word);
    if (check && out.size() < kMostChecks) {
      out.push_back(*check);
    } else {
      annotations.fail("checks", check ? "at most 8 checks" : "words like tcp, tcp:8080 or http:8080/ready", word);
    }
  }
  return out;
}

health::CheckSettings timing_of(Annotations& annotations) {
  health::CheckSettings out;
  out.interval = annotations.duration("check-interval", 100ms, 1h).value_or(out.interval);
  out.timeout = annotations.duration("check-timeout", 10ms, 1min).value_or(out.timeout);
  out.rise = annotations.number("check-rise", 1, kMostOfOneKind).value_or(out.rise);
  out.fall = annotations.number("check-fall", 1, kMostOfOneKind).value_or(out.fall);
  return out;
}

}  // namespace

PodSettings read_annotations(const std::map<std::string, std::string>& annotations) {
  PodSettings out;
  Annotations read(annotations, out.problems);
  out.service = read.label("service");
  out.port = read.port("port");
  out.weight = read.number("weight", 0, model::kMostWeight).value_or(out.weight);
  out.checks = checks_of(read);
  const health::CheckSettings timing = timing_of(read);
  for (PodSettings::Check& check : out.checks) check.spec.settings = timing;
  read.report_unknown(
      {"service", "port", "weight", "checks", "check-interval", "check-timeout", "check-rise", "check-fall"});
  return out;
}

}  // namespace meshdns::discovery
