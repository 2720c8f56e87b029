#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace meshdns::test {

/// One line of a scenario: "query web.mesh.internal A from=10.0.0.9 edns".
struct Command {
  std::vector<std::string> words;              // the words without '=', the verb first
  std::map<std::string, std::string> options;  // key=value

  static Command parse(const std::string& line);
  std::string option(const std::string& key, const std::string& otherwise = "") const;
  /// Returns the values of an option "a,b"; none if there is no such option.
  std::vector<std::string> list(const std::string& key) const;
  bool has_word(const std::string& word) const;
};

/// The object that a scenario's commands act on. Each file gets a new one.
class Subject {
 public:
  virtual ~Subject() = default;
  /// Runs a command.
  /// returns: output lines, each ended by \n; empty = nothing to say
  /// errors:  an unknown verb throws std::runtime_error
  virtual std::string run(const Command& command) = 0;
};

/// Runs tests/scenario/<area>/*.txt. A file is a sequence of blocks: commands, "----", and the expected output, which
/// an empty line ends. Lines that begin with # are comments. With MESHDNS_REWRITE=1 in the environment the files are
/// rewritten with the actual output; the diff is then reviewed as a change of behaviour.
void run_scenarios(const std::string& area, const std::function<std::unique_ptr<Subject>()>& make);

}  // namespace meshdns::test
