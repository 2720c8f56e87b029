// Instances that campaign for one lease, under simulated time, against a lease that behaves as the API server's does.
//   instance NAME [duration=5s] [wall=-1h]   a new one; wall: how wrong its wall clock is
//   next NAME           what it wants; a request is then under way
//   answer NAME         the API server takes the request that is under way, and answers
//   lose NAME           the API server takes the request, and the answer is lost
//   fail NAME TEXT..    the request fails, and changes nothing
//   go NAME             next and answer, until it wants to wait
//   release NAME
//   lease [holder=x] [renewed=TEXT] [seconds=5] [transitions=0]   somebody else writes the lease; "lease none": deletes
//   it advance 1s ; state NAME
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <stdexcept>

#include "common/base/overloaded.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "dnsd/lease/lease_machine.h"
#include "tests/support/scenario/scenario.h"

namespace meshdns::test {
namespace {

using lease::LeaseMachine;
using lease::LeaseRecord;

constexpr std::int64_t kWall = 1'795'974'000'000'000;  // 2026-11-29T17:40:00Z

Duration duration(const std::string& text) {
  const bool negative = text.starts_with('-');
  const Duration length = parse_duration(negative ? text.substr(1) : text).value();
  return negative ? -length : length;
}

struct Instance {
  LeaseMachine machine;
  Duration wrong{};
  LeaseMachine::Action asked = LeaseMachine::Wait{};
};

class LeaseSubject : public Subject {
 public:
  std::string run(const Command& command) override {
    using Verb = std::string (LeaseSubject::*)(const Command&);
    static const std::map<std::string, Verb> kVerbs = {
        {"instance", &LeaseSubject::instance}, {"next", &LeaseSubject::next},       {"answer", &LeaseSubject::answer},
        {"lose", &LeaseSubject::lose},         {"fail", &LeaseSubject::fail},       {"go", &LeaseSubject::go},
        {"release", &LeaseSubject::release},   {"lease", &LeaseSubject::set_lease}, {"advance", &LeaseSubject::advance},
        {"state", &LeaseSubject::state}};
    const auto verb = kVerbs.find(command.words.at(0));
    if (verb == kVerbs.end()) throw std::runtime_error("unknown verb");
    return (this->*verb->second)(command);
  }

 private:
  std::string instance(const Command& command) {
    LeaseMachine::Limits limits;
    limits.duration = duration(command.option("duration", "5s"));
    const std::string& name = command.words.at(1);
    instances_.erase(name);
    instances_.emplace(name, Instance{LeaseMachine(name, limits), duration(command.option("wall", "0s"))});
    return "";
  }

  Instance& of(const Command& command) { return instances_.at(command.words.at(1)); }

  std::string next(const Command& command) {
    Instance& who = of(command);
    const auto wall =
        kWall + std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch() + who.wrong).count();
    const auto action = who.machine.next(now_, wall);
    if (!std::holds_alternative<LeaseMachine::Wait>(action)) who.asked = action;
    return text(action) + "\n";
  }

  std::string text(const LeaseMachine::Action& action) const {
    return std::visit(Overloaded{[](const LeaseMachine::Read&) { return std::string("read"); },
                                 [](const LeaseMachine::Create& what) { return "create " + text(what.record); },
                                 [](const LeaseMachine::Update& what) { return "update " + text(what.record); },
                                 [this](const LeaseMachine::Wait& wait) {
                                   return wait.until ? "wait " + duration_text(*wait.until - now_)
                                                     : std::string("wait for the answer");
                                 }},
                      action);
  }

  static std::string text(const LeaseRecord& record) {
    return "holder=" + (record.holder.empty() ? "-" : record.holder) + " seconds=" + std::to_string(record.seconds) +
           " renewed=" + record.renewed.substr(11) + " transitions=" + std::to_string(record.transitions) +
           (record.version.empty() ? "" : " version=" + record.version);
  }

  /// The API server takes a request.
  /// tells: what it answers
  void serve(Instance& who, bool answers) {
    LeaseMachine& machine = who.machine;
    const auto asked = std::exchange(who.asked, LeaseMachine::Wait{});
    const auto write = [&](LeaseRecord record, bool allowed) {
      if (!allowed) return answers ? machine.conflict(now_) : machine.failed("no answer", now_);
      record.version = std::to_string(++version_);
      lease_ = record;
      answers ? machine.written(record, now_) : machine.failed("no answer", now_);
    };
    if (std::holds_alternative<LeaseMachine::Read>(asked)) {
      lease_ ? machine.read(*lease_, now_) : machine.missing(now_);
    } else if (const auto* create = std::get_if<LeaseMachine::Create>(&asked)) {
      write(create->record, !lease_);
    } else if (const auto* update = std::get_if<LeaseMachine::Update>(&asked)) {
      if (!lease_) return machine.missing(now_);
      write(update->record, lease_->version == update->record.version);
    } else {
      throw std::runtime_error("no request is under way");
    }
  }

  std::string answer(const Command& command) {
    serve(of(command), true);
    return "";
  }

  std::string lose(const Command& command) {
    serve(of(command), false);
    return "";
  }

  std::string fail(const Command& command) {
    std::string problem;
    for (std::size_t i = 2; i < command.words.size(); ++i) problem += (i > 2 ? " " : "") + command.words[i];
    of(command).machine.failed(problem, now_);
    of(command).asked = LeaseMachine::Wait{};
    return "";
  }

  std::string go(const Command& command) {
    std::string out;
    for (;;) {
      out += next(command);
      if (std::holds_alternative<LeaseMachine::Wait>(of(command).asked)) return out;
      serve(of(command), true);
    }
  }

  std::string release(const Command& command) {
    of(command).machine.release();
    return "";
  }

  std::string set_lease(const Command& command) {
    lease_.reset();
    if (command.has_word("none")) return "";
    lease_ =
        LeaseRecord{.holder = command.option("holder"),
                    .seconds = static_cast<std::int64_t>(parse_uint(command.option("seconds", "5")).value()),
                    .acquired = "2026-11-29T16:00:00.000000Z",
                    .renewed = command.option("renewed", "2026-11-29T16:59:59.000000Z"),
                    .transitions = static_cast<std::int64_t>(parse_uint(command.option("transitions", "0")).value()),
                    .version = std::to_string(++version_)};
    return "";
  }

  std::string advance(const Command& command) {
    now_ += duration(command.words.at(1));
    return "";
  }

  std::string state(const Command& command) {
    const LeaseMachine& machine = of(command).machine;
    std::string out =
        std::string(state_name(machine.state())) + ", holder " + (machine.holder().empty() ? "-" : machine.holder());
    if (!machine.problem().empty()) out += ", problem: " + machine.problem();
    if (machine.state() == LeaseMachine::State::Leading) out += ", for " + duration_text(machine.leads_until() - now_);
    if (machine.state() == LeaseMachine::State::Lost) out += ": " + machine.why_lost();
    return out + "\n";
  }

  TimePoint now_{};
  std::optional<LeaseRecord> lease_;
  int version_ = 0;
  std::map<std::string, Instance> instances_;
};

TEST(LeaseScenario, every_instance_does_as_written_down) {
  run_scenarios("lease", [] { return std::make_unique<LeaseSubject>(); });
}

}  // namespace
}  // namespace meshdns::test
