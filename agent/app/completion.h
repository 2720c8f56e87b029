#pragma once

#include <functional>
#include <string>
#include <vector>

namespace meshdns::agent::app {

/// Returns the script that makes bash complete the words of `meshdns-agent`; it calls `meshdns-agent __complete`.
std::string completion_script();

/// Returns the words that the last word can become, sorted; ":files" alone = the names of files.
/// words: those after "meshdns-agent"; the last one may be empty
/// names: returns the services and keys of this node, from the agent that runs; called only if they are asked for
std::vector<std::string> completions(const std::vector<std::string>& words,
                                     const std::function<std::vector<std::string>()>& names);

}  // namespace meshdns::agent::app
