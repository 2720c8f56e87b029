// A federation's agents under simulated time, swept and forgotten as the daemon does it; agents report each second.
//   zone NAME agents=8 [network=N] [region=R] [endpoints=1]   agents NAME-1 to NAME-8 in a zone, or none ("-NAME")
//   cut ZONE [COUNT] ; heal ZONE [COUNT]   the first of them that are heard, or not; without COUNT all
//   leave NODE                             withdraws its records
//   pass DURATION                          what becomes of nodes and brakes meanwhile
//   brakes ; endpoints
#include <gtest/gtest.h>

#include <stdexcept>

#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "tests/support/scenario/scenario.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::test {
namespace {

using federation::Agents;
using federation::FakeAgent;
using federation::Leases;

constexpr Duration kForgetAfter = 1h;
constexpr Duration kForgetInterval = 10s;
constexpr std::size_t kMostNames = 4;  // more of them are counted

class BrakesSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    using Verb = std::string (BrakesSubject::*)(const Command&);
    static const std::map<std::string, Verb> kVerbs = {
        {"zone", &BrakesSubject::add_zone},   {"cut", &BrakesSubject::cut},   {"heal", &BrakesSubject::heal},
        {"leave", &BrakesSubject::leave},     {"pass", &BrakesSubject::pass}, {"brakes", &BrakesSubject::brakes},
        {"endpoints", &BrakesSubject::count},
    };
    const auto verb = kVerbs.find(command.words.at(0));
    if (verb == kVerbs.end()) throw std::runtime_error("unknown verb");
    return (this->*verb->second)(command);
  }

 private:
  struct Machine {
    std::string name;
    std::string zone;
    std::vector<federation::Sample> endpoints;
    std::unique_ptr<FakeAgent> agent;
    bool cut = false;
    bool left = false;
  };

  std::string add_zone(const Command& command) {
    const std::string& zone = command.words.at(1);
    const bool unnamed = zone.starts_with('-');
    const auto endpoints = parse_uint(command.option("endpoints", "1")).value();
    for (std::uint64_t i = 1; i <= parse_uint(command.option("agents")).value(); ++i) {
      Machine machine{(unnamed ? zone.substr(1) : zone) + "-" + std::to_string(i), zone, {}, nullptr};
      for (std::uint64_t k = 0; k < endpoints; ++k) machine.endpoints.push_back({.key = std::to_string(k)});
      model::Locality place{command.option("network"), command.option("region"), unnamed ? "" : zone, "", "", ""};
      machine.agent = std::make_unique<FakeAgent>(agents_);
      machine.agent->hello({.node = machine.name, .place = place});
      std::vector<std::string> records;
      for (const auto& endpoint : machine.endpoints) records.push_back(encoded(endpoint));
      machine.agent->full(records);
      machines_.push_back(std::move(machine));
    }
    return "";
  }

  std::string set_cut(const Command& command, bool cut) {
    auto left = command.words.size() > 2 ? parse_uint(command.words[2]).value() : machines_.size();
    for (Machine& machine : machines_) {
      if (machine.zone != command.words.at(1) || machine.left || machine.cut == cut || left == 0) continue;
      machine.cut = cut;
      --left;
    }
    return "";
  }
  std::string cut(const Command& command) { return set_cut(command, true); }
  std::string heal(const Command& command) { return set_cut(command, false); }

  std::string leave(const Command& command) {
    for (Machine& machine : machines_) {
      if (machine.name != command.words.at(1)) continue;
      machine.agent->leave(true);
      machine.left = true;
    }
    return events("at once");
  }

  std::string pass(const Command& command) {
    const auto span = parse_duration(command.words.at(1)).value();
    std::string out;
    for (Duration done{}; done < span; done += Leases::sweep_interval()) {
      clock_.advance(Leases::sweep_interval());
      ++quarters_;
      for (std::size_t i = 0; i < machines_.size(); ++i) {
        const Machine& machine = machines_[i];
        const bool its_turn = (quarters_ + i) % 4 == 0;
        if (its_turn && !machine.cut && !machine.left) machine.agent->heartbeat(digest_of(machine.endpoints));
      }
      agents_.sweep();
      if (clock_.now() - forgotten_ >= kForgetInterval) {
        agents_.forget(kForgetAfter);
        forgotten_ = clock_.now();
      }
      out += events(duration_text(done + Leases::sweep_interval()));
    }
    return out;
  }

  std::string brakes(const Command&) {
    std::string out;
    for (const auto& brake : agents_.brakes().closed()) {
      out += brake.name + " (" + brake.covers + "): " + brake.reason + ", holds " + std::to_string(brake.held) + "\n";
    }
    return out.empty() ? "all open\n" : out;
  }

  std::string count(const Command&) { return std::to_string(catalog_.records().endpoints.size()) + "\n"; }

  std::map<std::string, std::string> states() const {
    std::map<std::string, std::string> out;
    for (const auto& [key, node] : catalog_.records().nodes) {
      const auto found = catalog_.records().statuses.find(key);
      const model::NodeStatus status = found == catalog_.records().statuses.end() ? model::NodeStatus{} : found->second;
      std::string& state = out[key.substr(key.find('/') + 1)];
      if (status.silent) state = "silent";
      if (!status.held.empty()) state += (state.empty() ? "held by " : ", removal held by ") + status.held;
    }
    return out;
  }

  /// What is different since the last call.
  std::string events(const std::string& when) {
    std::map<std::string, std::vector<std::string>> changes;
    const auto now = states();
    for (const auto& [name, state] : now) {
      const auto before = states_.find(name);
      if (before != states_.end() && before->second != state) changes[state.empty() ? "heard" : state].push_back(name);
    }
    for (const auto& [name, state] : states_) {
      if (!now.contains(name)) changes["gone"].push_back(name);
    }
    states_ = now;
    std::set<std::string> closed;
    for (const auto& brake : agents_.brakes().closed()) closed.insert(brake.name + " (" + brake.covers + ")");
    std::string out;
    for (const std::string& brake : closed) {
      if (!closed_.contains(brake)) out += when + "  closed: " + brake + "\n";
    }
    for (const std::string& brake : closed_) {
      if (!closed.contains(brake)) out += when + "  open: " + brake + "\n";
    }
    closed_ = std::move(closed);
    for (const auto& [state, names] : changes) {
      out += when + "  " + state + ": " +
             (names.size() > kMostNames ? std::to_string(names.size()) + " nodes" : join(names, " ")) + "\n";
    }
    return out;
  }

  SimClock clock_;
  catalog::Catalog catalog_;
  Agents agents_{{catalog_, clock_, clock_, "eu-1/a", [] {}}};
  std::vector<Machine> machines_;
  std::size_t quarters_ = 0;  // of seconds
  TimePoint forgotten_ = clock_.now();
  std::map<std::string, std::string> states_;
  std::set<std::string> closed_;
};

TEST(Scenario, Brakes) {
  run_scenarios("brakes", [] { return std::make_unique<BrakesSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
