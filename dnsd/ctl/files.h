#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meshdns/v1/types.pb.h"

namespace meshdns::ctl {

/// Returns the files that the words of a command line name. A folder stands for its *.yaml, *.yml and *.json in the
/// order of their names; "-" is standard input. Nothing = errors were printed.
std::optional<std::vector<std::string>> files_named(const std::vector<std::string>& words);

/// Returns the objects of all these files, folders and "-"; nothing = all problems were printed.
/// outcome: the consequence, for the problems: "nothing applied"
std::optional<std::vector<v1::Object>> read_objects(const std::vector<std::string>& files, const char* outcome);

}  // namespace meshdns::ctl
