#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agent/probes/check.h"
#include "agent/probes/probe.h"
#include "agent/probes/program_rules.h"
#include "agent/probes/running_program.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// Starts a program and judges its exit code: 0 is a success, 1 a warning, everything else a failure. What it has
/// written is the detail. A program that is out of time gets SIGTERM, and SIGKILL after the grace, with its whole
/// group.
///
/// Everything that keeps the program from running is Unknown: programs are not enabled, somebody besides root could
/// replace it, there is no such file or user, no process can be made.
///
/// docs/adr/0049-programs-of-checks.md says why the program is started through setpriv(1).
class ExecProbe : public Probe {
 public:
  /// loop, rules: must outlive the probe
  ExecProbe(process::EventLoop& loop, ExecCheck check, const ProgramRules& rules);
  /// Kills a running program and its group.
  ~ExecProbe() override;

  /// Starts a check. If one is running, its program is killed, and the first `done` is not called.
  void run(Duration timeout, Done done) override;

 private:
  Result<Launch> launch() const;
  void answer_soon(health::ProbeResult result);
  void answer(health::ProbeResult result);
  void out_of_time(Duration timeout);
  void stop_timers();

  process::EventLoop& loop_;
  ExecCheck check_;
  const ProgramRules& rules_;
  std::shared_ptr<const int> alive_;  // each process that is not reaped holds it too
  Done done_;
  std::unique_ptr<RunningProgram> program_;
  std::optional<TimerId> timer_;  // of the timeout, then of the grace
};

/// Returns what the end of a program means.
health::ProbeResult program_result(const ProgramEnd& end);

/// Returns why the program of a check would not be started; empty = it would.
std::string program_problem(const ExecCheck& check, const ProgramRules& rules);

}  // namespace meshdns::probes
