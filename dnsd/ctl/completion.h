#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace meshdns::ctl {

/// Returns the completion script of a shell: "bash", "zsh" or "fish"; nothing = another shell. The script calls
/// `meshdnsctl __complete WORDS`.
std::optional<std::string> completion_script(const std::string& shell);

/// Returns a server's names of a kind: "Node", "VirtualDestination", ..., "host". Empty if no server answers.
using Names = std::function<std::vector<std::string>(const std::string& kind)>;

/// Returns the completions of the last word, which may be empty. `words` is the command line without the program. The
/// single line ":files" means that file names complete the word.
std::vector<std::string> completions(const CLI::App& cli, const std::vector<std::string>& words, const Names& names);

}  // namespace meshdns::ctl
