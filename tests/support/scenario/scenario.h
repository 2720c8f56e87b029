#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace meshdns::test {

/// One line of a scenario: "query web.mesh.internal A from=10.0.0.9 edns".
struct Command {
  std::vector<std::string> words;              // those without '=', the verb first
  std::map<std::string, std::string> options;  // key=value

  static Command parse(const std::string& line);
  std::string option(const std::string& key, const std::string& otherwise = "") const;
  /// "a,b" as two; none if there is no such option
  std::vector<std::string> list(const std::string& key) const;
  bool has_word(const std::string& word) const;
};

/// What a scenario talks to: made anew for each file.
class Subject {
 public:
  virtual ~Subject() = default;
  /// Output lines, each ended by \n; empty where there is nothing to say. Unknown verbs throw std::runtime_error.
  virtual std::string run(const Command& command) = 0;
};

/// Runs tests/scenario/<area>/*.txt. A file is blocks of commands, "----", and the expected output, which an empty
/// line ends; lines that begin with # are comments. With MESHDNS_REWRITE=1 in the environment the files are rewritten
/// with what came out, to be reviewed as a diff of behaviour.
void run_scenarios(const std::string& area, const std::function<std::unique_ptr<Subject>()>& make);

}  // namespace meshdns::test
