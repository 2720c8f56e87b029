#pragma once

#include <sys/stat.h>

#include <functional>
#include <string>

namespace meshdns::probes {

/// Judges one file or folder on the way to a program.
/// returns: why the path is not trusted; empty = it is
using OwnerRule = std::function<std::string(const std::string& path, const struct stat& found)>;

/// The rule of a running agent: the owner is root, and neither group nor others may write. An ACL that lets somebody
/// write shows as the group's permission (acl(5)), so it is refused too.
std::string only_root_writes(const std::string& path, const struct stat& found);

/// Checks who could replace a program: the file itself, every folder on its path, and the same for each symbolic link
/// on the way. Then nobody else can change the program between this check and its start.
///
/// path:    absolute
/// returns: "/opt/x is writable by its group"; empty = the program can be trusted
std::string program_problem(const std::string& path, const OwnerRule& rule);

}  // namespace meshdns::probes
