// One check of one endpoint:
//   settings rise=2 fall=3 interval=5s edge=1s       a new endpoint with these
//   result success|failure|timeout|refused|unknown [late] [event] [last] [detail...]
//   advance 5s
#include <gtest/gtest.h>

#include <stdexcept>

#include "agent/health/health_machine.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {
namespace {

using health::CheckSettings;
using health::HealthMachine;
using health::Outcome;
using health::ProbeResult;

constexpr TimePoint kStart{1h};
constexpr std::uint64_t kSeed = 7;

const std::map<std::string, Outcome> kOutcomes = {{"success", Outcome::Success},
                                                  {"failure", Outcome::Failure},
                                                  {"timeout", Outcome::Timeout},
                                                  {"refused", Outcome::Refused},
                                                  {"unknown", Outcome::Unknown}};

HealthMachine started(const CheckSettings& settings) {
  HealthMachine machine(settings, kSeed);
  machine.next_delay();  // the first is another: health_machine_test.cc looks at it
  return machine;
}

ProbeResult result_of(const std::vector<std::string>& words) {
  ProbeResult out{.outcome = kOutcomes.at(words.at(1))};
  std::vector<std::string> detail;
  for (std::size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "late") {
      out.late = true;
    } else if (words[i] == "event") {
      out.after_event = true;
    } else if (words[i] != "last") {
      detail.push_back(words[i]);
    }
  }
  out.detail = join(detail, " ");
  return out;
}

class HealthSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    const auto& verb = command.words.at(0);
    if (verb == "settings") return settings(command);
    if (verb == "advance") return advance(command);
    if (verb == "result") return result(command);
    throw std::runtime_error("unknown verb");
  }

 private:
  std::string settings(const Command& command) {
    CheckSettings out;
    out.rise = static_cast<unsigned>(parse_uint(command.option("rise", "2")).value());
    out.fall = static_cast<unsigned>(parse_uint(command.option("fall", "3")).value());
    out.interval = parse_duration(command.option("interval", "5s")).value();
    out.edge_interval = parse_duration(command.option("edge", "1s")).value();
    settings_ = out;
    machine_ = started(settings_);
    return {};
  }

  std::string advance(const Command& command) {
    now_ += parse_duration(command.words.at(1)).value();
    return {};
  }

  std::string result(const Command& command) {
    const bool changed = machine_.on_result(result_of(command.words), now_, command.has_word("last"));
    return state_text() + "; next in " + delay_text() + (changed ? "" : "  (unchanged)") + "\n";
  }

  std::string state_text() const {
    const auto& health = machine_.health();
    std::string out = duration_text(now_ - kStart) + "  " + std::string(model::health_state_name(health.state));
    if (health.since != TimePoint{}) out += " since " + duration_text(health.since - kStart);
    if (health.in_doubt) out += ", in doubt";
    if (health.doubtful) out += ", doubtful";
    if (health.streak > 0) out += ", " + std::to_string(health.streak) + " of " + std::to_string(health.needed);
    return health.detail.empty() ? out : out + ", " + health.detail;
  }

  /// "about" stands for the 10 % to both sides.
  std::string delay_text() {
    const Duration delay = machine_.next_delay();
    const Duration interval = settings_.interval;
    if (delay == settings_.edge_interval) return duration_text(delay);
    const bool about = delay >= interval - interval / 10 && delay <= interval + interval / 10;
    return about ? "about " + duration_text(interval) : duration_text(delay);
  }

  CheckSettings settings_;
  HealthMachine machine_ = started(settings_);
  TimePoint now_ = kStart;
};

TEST(Scenario, Health) {
  run_scenarios("health", [] { return std::make_unique<HealthSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
