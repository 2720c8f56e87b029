#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "common/base/result.h"

namespace meshdns::process {

/// The exit codes of a daemon that does not run.
inline constexpr int kFailed = 1;
inline constexpr int kWrongUsage = 2;  // of the command line or of the configuration

/// Prepares the process of a daemon: signals are held (hold_signals()), and an uncaught exception about a missing
/// thread, descriptor or memory ends the process with exit code 1 and a log line instead of an abort.
/// requires: the first call in main()
void prepare_daemon();

/// Checks that the process can get so many more threads and descriptors, by taking and releasing them. Libraries like
/// gRPC abort the process if they cannot get them; this gives a readable error before.
/// errors: ResourceExhausted, with the missing resource
Result<void> check_room(std::size_t threads, std::size_t descriptors);

/// Prints the problems of a configuration, one a line, and then their number.
/// returns: the exit code
int wrong_config(std::string_view problems);

/// Logs why the daemon cannot start.
/// returns: the exit code
int cannot_start(const Error& error);

/// Calls `run`, the daemon's main function, while a thread writes the log.
/// returns: the exit code
int run_daemon(const std::function<int()>& run);

}  // namespace meshdns::process
