#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace meshdns::ctl {

/// The script of a shell: "bash", "zsh" or "fish"; nothing = another shell. It calls `meshdnsctl __complete WORDS`.
std::optional<std::string> completion_script(const std::string& shell);

/// The names that a server has of a kind: "Node", "VirtualDestination", ..., "host". Empty where none answers.
using Names = std::function<std::vector<std::string>(const std::string& kind)>;

/// What may stand for the last of these words, which may be empty; they are the command line without the program. The
/// only line ":files" = a file.
std::vector<std::string> completions(const CLI::App& cli, const std::vector<std::string>& words, const Names& names);

}  // namespace meshdns::ctl
