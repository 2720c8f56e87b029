#pragma once

#include <cstddef>
#include <functional>

#include "common/base/result.h"

namespace meshdns::process {

/// Prepares the process of a daemon: signals are held (hold_signals()), and an exception
/// that nothing catches, because the system gives no thread or no memory, ends the process with exit code 1 and a log
/// line instead of an abort. Call it first in main().
void prepare_daemon();

/// Whether so many threads and descriptors can be had beyond those that there are. Libraries abort the process where
/// they cannot have what they need at their start; so it is tried before.
/// errors: ResourceExhausted, which names what is missing
Result<void> check_room(std::size_t threads, std::size_t descriptors);

/// Calls `run`, which lives as long as the daemon, with the log on a thread of its own. returns: the exit code
int run_daemon(const std::function<int()>& run);

}  // namespace meshdns::process
