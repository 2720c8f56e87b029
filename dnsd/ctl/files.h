#pragma once

#include <optional>
#include <string>
#include <vector>

#include "meshdns/v1/types.pb.h"

namespace meshdns::ctl {

/// The files that the words of a command line name: a folder stands for its *.yaml, *.yml and *.json, by name; "-" is
/// standard input. errors were printed where there is nothing
std::optional<std::vector<std::string>> files_named(const std::vector<std::string>& words);

/// The objects of all these files, folders and "-"; where there is nothing, all problems were printed.
/// outcome: what they come to: "nothing applied"
std::optional<std::vector<v1::Object>> read_objects(const std::vector<std::string>& files, const char* outcome);

}  // namespace meshdns::ctl
