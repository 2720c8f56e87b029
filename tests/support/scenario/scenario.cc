#include "tests/support/scenario/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/text.h"

namespace meshdns::test {
namespace {

namespace fs = std::filesystem;

std::string run_line(Subject& subject, const std::string& line) {
  try {
    return subject.run(Command::parse(line));
  } catch (const std::exception& error) {
    return "cannot run \"" + line + "\": " + error.what() + "\n";
  }
}

/// The file as it would be if everything that came out were right.
std::string replay(const std::string& text, Subject& subject) {
  std::istringstream lines(text);
  std::ostringstream out;
  std::string output;
  bool skipping = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "----") {
      out << "----\n" << output;
      output.clear();
      skipping = true;
    } else if (line.empty()) {
      out << "\n";
      skipping = false;
    } else if (!skipping) {
      out << line << "\n";
      if (line.front() != '#') output += run_line(subject, line);
    }
  }
  if (!output.empty()) out << "----\n" << output;
  return out.str();
}

void run_file(const fs::path& path, Subject& subject) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  const std::string got = replay(text.str(), subject);
  if (std::getenv("MESHDNS_REWRITE") != nullptr) {
    std::ofstream(path) << got;
    return;
  }
  EXPECT_EQ(text.str(), got) << path << " (set MESHDNS_REWRITE=1 to rewrite it)";
}

}  // namespace

Command Command::parse(const std::string& line) {
  Command command;
  for (const std::string_view word : split(line, ' ')) {
    if (word.empty()) continue;
    const auto equal = word.find('=');
    if (equal == std::string_view::npos) {
      command.words.emplace_back(word);
    } else {
      command.options.emplace(word.substr(0, equal), word.substr(equal + 1));
    }
  }
  return command;
}

std::string Command::option(const std::string& key, const std::string& otherwise) const {
  const auto found = options.find(key);
  return found == options.end() ? otherwise : found->second;
}

std::vector<std::string> Command::list(const std::string& key) const {
  std::vector<std::string> out;
  const auto found = options.find(key);
  if (found == options.end()) return out;
  for (const std::string_view part : split(found->second, ',')) out.emplace_back(part);
  return out;
}

bool Command::has_word(const std::string& word) const { return std::ranges::find(words, word) != words.end(); }

void run_scenarios(const std::string& area, const std::function<std::unique_ptr<Subject>()>& make) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path("tests/scenario") / area)) {
    const bool listed = entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt";
    if (listed) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty()) << area;
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    run_file(file, *make());
  }
}

}  // namespace meshdns::test
