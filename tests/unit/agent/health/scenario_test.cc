// Runs tests/scenario/health/*.txt: commands, "----", what they print. MESHDNS_REWRITE=1 writes what they print now.
//   settings rise=2 fall=3 interval=5s edge=1s       a new endpoint with these
//   result success|failure|timeout|refused|unknown [late] [event] [last] [detail...]
//   advance 5s
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "agent/health/health_machine.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"

namespace meshdns::health {
namespace {

constexpr TimePoint kStart{1h};
constexpr std::uint64_t kSeed = 7;

class Scenario {
 public:
  /// What the command prints, one line or none.
  std::string run(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "settings") return settings(words);
    if (command == "result") return result(words);
    if (command == "advance") return advance(words);
    return "unknown command: " + line + "\n";
  }

 private:
  std::string settings(std::istringstream& words) {
    Settings settings;
    for (std::string word; words >> word;) {
      const auto parts = split(word, '=');
      if (parts[0] == "rise") settings.rise = static_cast<unsigned>(parse_uint(parts[1]).value());
      if (parts[0] == "fall") settings.fall = static_cast<unsigned>(parse_uint(parts[1]).value());
      if (parts[0] == "interval") settings.interval = parse_duration(parts[1]).value();
      if (parts[0] == "edge") settings.edge_interval = parse_duration(parts[1]).value();
    }
    machine_ = HealthMachine(settings, kSeed);
    machine_.next_delay();  // the first is another; health_machine_test.cc looks at it
    return {};
  }

  std::string advance(std::istringstream& words) {
    std::string by;
    words >> by;
    now_ += parse_duration(by).value();
    return {};
  }

  std::string result(std::istringstream& words) {
    ProbeResult result;
    bool last_healthy = false;
    std::string word;
    words >> word;
    result.outcome = outcome(word);
    while (words >> word) {
      if (word == "late") {
        result.late = true;
      } else if (word == "event") {
        result.after_event = true;
      } else if (word == "last") {
        last_healthy = true;
      } else {
        result.detail += (result.detail.empty() ? "" : " ") + word;
      }
    }
    const bool changed = machine_.on_result(result, now_, last_healthy);
    return state_text() + (changed ? "" : "  (unchanged)") + "\n";
  }

  static Outcome outcome(const std::string& word) {
    if (word == "success") return Outcome::Success;
    if (word == "failure") return Outcome::Failure;
    if (word == "timeout") return Outcome::Timeout;
    if (word == "refused") return Outcome::Refused;
    EXPECT_EQ(word, "unknown");
    return Outcome::Unknown;
  }

  std::string state_text() {
    const auto& health = machine_.health();
    std::string out = duration_text(now_ - kStart) + "  " + std::string(model::health_state_name(health.state));
    out += " since " + duration_text(health.since == TimePoint{} ? Duration{} : health.since - kStart);
    if (health.in_doubt) out += ", in doubt";
    if (health.doubtful) out += ", doubtful";
    if (health.streak > 0) out += ", " + std::to_string(health.streak) + " of " + std::to_string(health.needed);
    if (!health.detail.empty()) out += ", " + health.detail;
    return out + "; next in " + delay_text();
  }

  std::string delay_text() {
    const Duration delay = machine_.next_delay();
    const Duration interval = machine_.settings().interval;
    if (delay == machine_.settings().edge_interval) return duration_text(delay);
    const bool about = delay >= interval - interval / 10 && delay <= interval + interval / 10;
    return about ? "about " + duration_text(interval) : duration_text(delay);
  }

  HealthMachine machine_ = [] {
    HealthMachine machine({}, kSeed);
    machine.next_delay();
    return machine;
  }();
  TimePoint now_ = kStart;
};

/// The file as it should be: its own commands, with what they print now.
std::string rerun(const std::string& text) {
  Scenario scenario;
  std::string out;
  std::string printed;
  bool in_output = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (in_output && !line.empty()) continue;
    out += line + "\n";
    in_output = line == "----";
    if (in_output) {
      out += std::exchange(printed, {});
    } else if (!line.empty() && line.front() != '#') {
      printed += scenario.run(line);
    }
  }
  return out;
}

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(HealthScenarios, print_what_is_expected) {
  unsigned files = 0;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenario/health")) {
    if (entry.path().extension() != ".txt") continue;
    ++files;
    const std::string expected = contents(entry.path());
    const std::string actual = rerun(expected);
    EXPECT_EQ(actual, expected) << entry.path();
    if (std::getenv("MESHDNS_REWRITE") != nullptr) std::ofstream(entry.path()) << actual;
  }
  EXPECT_GE(files, 10U);
}

}  // namespace
}  // namespace meshdns::health
