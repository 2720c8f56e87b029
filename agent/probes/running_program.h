#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/process/event_loop.h"

namespace meshdns::probes {

/// What to start.
struct Launch {
  std::vector<std::string> command;                // argv; the first is the program's absolute path
  std::map<std::string, std::string> environment;  // all of it: nothing of the agent's own is inherited
  std::shared_ptr<const void> held;                // released when the process has been reaped
};

/// How a program has ended.
struct ProgramEnd {
  bool exited = false;  // otherwise a signal has ended it
  int number = 0;       // the exit code, or the signal
  std::string output;   // standard output and error together, the first kMostOutput bytes
};

/// One program that runs as a process group of its own.
///
/// How it works: posix_spawn starts the program in a new session, so that the id of its process group is its own
/// process id. A pidfd becomes readable when the program ends, and only then is it reaped: until then its id cannot be
/// given to another process, so a signal to the group always reaches the right one. Whatever the program leaves behind
/// in its group is killed then. Processes that have made a session of their own are not found.
///
/// The program gets /dev/null as standard input, / as its folder, no other descriptor, the default signal handling, and
/// one pipe for both outputs. The pipe is always read to its end, so a program that writes much is never held up.
/// thread: the loop's
class RunningProgram {
 public:
  static constexpr std::size_t kMostOutput = 4096;
  using Ended = std::function<void(ProgramEnd)>;

  /// Starts a program. `loop` must outlive the result.
  /// ended:  called once, from the loop, unless the result is destroyed before
  /// errors: ResourceExhausted: no descriptor, no process. Unavailable: the file cannot be executed
  static Result<std::unique_ptr<RunningProgram>> start(process::EventLoop& loop, const Launch& launch, Ended ended);
  /// Kills the group at once. The loop reaps the process as soon as it has ended.
  ~RunningProgram();

  /// Sends a signal to the whole group.
  void signal(int number);

 private:
  struct State;
  explicit RunningProgram(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::probes
