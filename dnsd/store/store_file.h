#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace meshdns::store {

/// Renames the file and its log to "<path>.corrupt-<unix seconds>", with a number if that name is taken.
/// returns: the new name
Result<std::string> set_aside(const std::string& path, std::int64_t unix_seconds);

/// Creates an empty file that only its owner may read, in place of any file of that name.
Result<void> make_private_file(const std::string& path);

/// Removes the file and the files that SQLite keeps beside it.
void remove_file(const std::string& path);

/// Renames the finished file `made` to `path`, durably. Fails if `path` exists.
Result<void> publish_file(const std::string& made, const std::string& path);

/// Returns whether there is a file of this name.
/// errors: FailedPrecondition: unknown, because a folder on the way cannot be entered or read
Result<bool> is_there(const std::string& path);

/// Returns why the file or its folder cannot be written, like "/var/lib/meshdns: Read-only file system"; empty = it
/// can.
std::string write_obstacle(const std::string& path);

/// Returns the process that holds a lock on the file, like "meshdnsd (pid 4711)"; "another process" if the kernel does
/// not tell.
std::string lock_holder(const std::string& path);

}  // namespace meshdns::store
