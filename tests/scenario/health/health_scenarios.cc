// One check of one endpoint:
//   settings rise=2 fall=3 interval=5s edge=1s       a new endpoint with these
//   result success|failure|timeout|refused|unknown|warning [late] [event] [last] [certain] [detail...]
//   group NEEDED KIND=OUTCOME[:DETAIL]...            the result of a group by those of its parts; _ is a space
//   ttl 30s                                          from here on the endpoint has a ttl check
//   push success|warning|failure [detail...]         the service says how it is
//   advance 5s
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "agent/health/health_machine.h"
#include "agent/probes/group_probe.h"
#include "agent/probes/ttl_probe.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "common/time/sim_clock.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {
namespace {

using health::CheckSettings;
using health::HealthMachine;
using health::Outcome;
using health::ProbeResult;

constexpr TimePoint kStart{1h};
constexpr std::uint64_t kSeed = 7;

const std::map<std::string, Outcome> kOutcomes = {{"success", Outcome::Success}, {"failure", Outcome::Failure},
                                                  {"timeout", Outcome::Timeout}, {"refused", Outcome::Refused},
                                                  {"unknown", Outcome::Unknown}, {"warning", Outcome::Warning}};

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
    } else if (words[i] == "certain") {
      out.certain = true;
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
    if (verb == "result") return take(result_of(command.words), command.has_word("last"));
    if (verb == "group") return group(command);
    if (verb == "ttl") return ttl(command);
    if (verb == "push") return push(command);
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
    said_.clear();
    sim_.advance(parse_duration(command.words.at(1)).value());
    return said_;
  }

  std::string take(const ProbeResult& result, bool last) {
    const bool changed = machine_.on_result(result, sim_.now(), last);
    return state_text() + "; next in " + delay_text() + (changed ? "" : "  (unchanged)") + "\n";
  }

  std::string group(const Command& command) {
    std::vector<probes::GroupPart> parts;
    std::vector<std::optional<ProbeResult>> results;
    for (const auto& [kind, text] : command.options) {
      const auto colon = text.find(':');
      ProbeResult result{.outcome = kOutcomes.at(text.substr(0, colon))};
      if (colon != std::string::npos) result.detail = text.substr(colon + 1);
      std::replace(result.detail.begin(), result.detail.end(), '_', ' ');
      parts.push_back({kind, {}});
      results.emplace_back(result);
    }
    const auto needed = static_cast<std::size_t>(parse_uint(command.words.at(1)).value());
    return take(probes::group_result(results, parts, needed).value(), false);
  }

  std::string ttl(const Command& command) {
    const probes::TtlCheck check{parse_duration(command.words.at(1)).value()};
    ttl_.emplace(probes::TtlProbe::Parts{sim_, sim_, pushes_}, "shop/web", check);
    ttl_->watch([this] { ttl_->run(1s, [this](const ProbeResult& result) { said_ += take(result, false); }); });
    return {};
  }

  std::string push(const Command& command) {
    const ProbeResult said = result_of(command.words);
    said_.clear();
    pushes_.push("shop/web", said.outcome, said.detail, sim_.now());
    sim_.advance(0s);
    return said_;
  }

  std::string state_text() const {
    const auto& health = machine_.health();
    std::string out = duration_text(sim_.now() - kStart) + "  " + std::string(model::health_state_name(health.state));
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
  SimClock sim_;  // begins at kStart
  probes::PushBoard pushes_;
  std::optional<probes::TtlProbe> ttl_;
  std::string said_;  // by the ttl check
};

TEST(Scenario, Health) {
  run_scenarios("health", [] { return std::make_unique<HealthSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
