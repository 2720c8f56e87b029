#include "agent/probes/exec_probe.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "common/base/printable.h"
#include "common/base/text.h"
#include "common/base/utf8.h"
#include "common/time/duration_text.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

// A program that waits for a dead disk does not even end by SIGKILL. More than these are never started besides.
constexpr long kMostAlive = 4;
constexpr int kWarning = 1;
constexpr const char* kOff = "programs are not started: set exec: {enabled: true} in agent.yaml";

/// A user that a program runs as.
struct User {
  uid_t id = 0;
  gid_t group = 0;
  std::string name;
  std::string home;
};

/// Looks a user up in a file like /etc/passwd. The C library's getpwnam() would ask a directory service, which may take
/// seconds, and the loop must not wait.
Result<User> find_user(const std::string& file, const std::string& name) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "re"), &std::fclose);
  std::array<char, 4096> buffer;
  passwd entry{};
  passwd* found = nullptr;
  while (stream && ::fgetpwent_r(stream.get(), &entry, buffer.data(), buffer.size(), &found) == 0) {
    if (entry.pw_name == name) return User{entry.pw_uid, entry.pw_gid, entry.pw_name, entry.pw_dir};
  }
  return Error(Code::NotFound, fmt::format("{} has no user \"{}\"", file, name));
}

/// Returns what a program has written as a detail: without blanks at the ends, and without bytes that are not UTF-8.
std::string text_of(const std::string& output) {
  return printable(trim(utf8_prefix(output, RunningProgram::kMostOutput)), Lines::Many);
}

/// Whether programs would inherit capabilities of the agent: those that a drop-in of its unit gives it.
bool has_ambient_capabilities() {
  for (int capability = 0;; ++capability) {
    const int found = ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0);
    if (found != 0) return found > 0;  // negative: the kernel has no more
  }
}

std::string how_it_ended(const ProgramEnd& end) {
  if (end.exited) return fmt::format("exit {}", end.number);
  return fmt::format("ended by signal {} ({})", end.number, ::strsignal(end.number));
}

/// setpriv ends with 1 or 127 if it cannot start the program, as a program may; but its message has its name.
constexpr std::string_view kSetprivFailed = "setpriv: ";

}  // namespace

ProbeResult program_result(const ProgramEnd& end) {
  const std::string text = text_of(end.output);
  if (text.starts_with(kSetprivFailed)) return {Outcome::Unknown, text.substr(kSetprivFailed.size())};
  if (end.exited && end.number == 0) return {Outcome::Success, text};
  const std::string how = how_it_ended(end);
  const bool warning = end.exited && end.number == kWarning;
  return {warning ? Outcome::Warning : Outcome::Failure, text.empty() ? how : how + ": " + text};
}

std::string program_problem(const ExecCheck& check, const ProgramRules& rules) {
  if (!rules.enabled) return kOff;
  if (std::string problem = program_problem(check.command.front(), rules.owner); !problem.empty()) return problem;
  if (check.user.empty()) return {};
  const auto user = find_user(rules.users, check.user);
  return user ? "" : user.error().message();
}

ExecProbe::ExecProbe(process::EventLoop& loop, ExecCheck check, const ProgramRules& rules)
    : loop_(loop), check_(std::move(check)), rules_(rules), alive_(std::make_shared<const int>()) {}

ExecProbe::~ExecProbe() { stop_timers(); }

void ExecProbe::stop_timers() {
  if (timer_) loop_.cancel(*timer_);
  timer_.reset();
}

void ExecProbe::run(Duration timeout, Done done) {
  stop_timers();
  program_.reset();
  done_ = std::move(done);
  if (std::string problem = program_problem(check_, rules_); !problem.empty()) {
    return answer_soon({Outcome::Unknown, std::move(problem)});
  }
  if (alive_.use_count() > kMostAlive) {
    return answer_soon({Outcome::Timeout, "the programs of earlier checks have not ended, not even by SIGKILL"});
  }
  const auto wanted = launch();
  if (!wanted) return answer_soon({Outcome::Unknown, wanted.error().message()});
  auto started = RunningProgram::start(loop_, *wanted, [this](const ProgramEnd& end) {
    stop_timers();
    program_.reset();
    if (done_) answer(program_result(end));
  });
  if (!started) return answer_soon({Outcome::Unknown, started.error().message()});
  program_ = std::move(*started);
  timer_ = loop_.after(timeout, [this, timeout] { out_of_time(timeout); });
}

/// The check is over at once, so that the next one begins in time; the program may use its grace until then.
void ExecProbe::out_of_time(Duration timeout) {
  program_->signal(SIGTERM);
  timer_ = loop_.after(rules_.grace, [this] {
    timer_.reset();
    program_->signal(SIGKILL);
  });
  answer({Outcome::Timeout, "timeout after " + duration_text(timeout)});
}

void ExecProbe::answer_soon(ProbeResult result) {
  timer_ = loop_.after(Duration::zero(), [this, result = std::move(result)] {
    timer_.reset();
    answer(result);
  });
}

/// The last thing that a function does: `done` may destroy the probe.
void ExecProbe::answer(ProbeResult result) {
  if (const Done call = std::exchange(done_, nullptr)) call(std::move(result));
}

Result<Launch> ExecProbe::launch() const {
  Launch out;
  out.held = alive_;
  out.environment = check_.environment;
  out.environment.emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  out.environment.emplace("LANG", "C.UTF-8");
  out.command = {rules_.setpriv, "--pdeathsig=KILL"};  // programs must not outlive an agent that dies
  // An agent that may change users must not hand that right to programs. Without capabilities the option is left out:
  // setpriv calls capset() for it, which the filter of the agent's unit refuses.
  if (has_ambient_capabilities()) out.command.emplace_back("--ambient-caps=-all");
  if (!check_.user.empty()) {
    const auto user = find_user(rules_.users, check_.user);
    if (!user) return user.error();
    for (const char* name : {"USER", "LOGNAME"}) out.environment.emplace(name, user->name);
    out.environment.emplace("HOME", user->home);
    if (user->id != ::geteuid()) {
      out.command.push_back("--reuid=" + std::to_string(user->id));
      out.command.push_back("--regid=" + std::to_string(user->group));
      out.command.emplace_back("--init-groups");
    }
  }
  out.command.emplace_back("--");
  out.command.insert(out.command.end(), check_.command.begin(), check_.command.end());
  return out;
}

}  // namespace meshdns::probes
