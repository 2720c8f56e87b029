#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace meshdns::store {

/// Renames the file and its log to "<path>.corrupt-<unix seconds>" (and a number where that is taken).
/// returns: the new name
Result<std::string> set_aside(const std::string& path, std::int64_t unix_seconds);

/// An empty file that only its owner may read, under a name of its own; what was left there goes.
Result<void> make_private_file(const std::string& path);

/// The file and what SQLite keeps beside it.
void remove_file(const std::string& path);

/// Gives the finished file `made` its name, which nobody must have, and makes the name durable.
Result<void> publish_file(const std::string& made, const std::string& path);

/// Whether there is a file of this name.
/// errors: FailedPrecondition: that cannot be known, because a folder on the way cannot be entered or read
Result<bool> is_there(const std::string& path);

/// Why the file, or its folder, cannot be written: "/var/lib/meshdns: Read-only file system"; empty = it can.
std::string write_obstacle(const std::string& path);

/// Who holds a lock on the file: "meshdnsd (pid 4711)"; "another process" where the kernel does not tell.
std::string lock_holder(const std::string& path);

}  // namespace meshdns::store
