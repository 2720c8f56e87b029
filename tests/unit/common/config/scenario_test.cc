// tests/scenario/config/*.txt: "load KIND FILE", the file's lines, "----", the problems (or ok), an empty line.
// MESHDNS_REWRITE=1 writes down what comes out, to be reviewed as a diff.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/endpoint_labels.h"
#include "common/config/load.h"

namespace meshdns::config {
namespace {

namespace fs = std::filesystem;

template <class T>
std::string outcome(const Loaded<T>& loaded) {
  return loaded ? "ok\n" : problems_text(loaded.error());
}

/// Reads lines "name=value".
std::map<std::string, std::string> labels_of(const std::string& text) {
  std::map<std::string, std::string> out;
  for (const std::string_view line : split(text, '\n')) {
    const auto equal = line.find('=');
    if (equal != std::string_view::npos) out.emplace(line.substr(0, equal), line.substr(equal + 1));
  }
  return out;
}

std::string load_as(std::string_view kind, const std::string& text, const std::string& file) {
  if (kind == "dnsd") return outcome(load_dnsd(text, file));
  if (kind == "agent") return outcome(load_agent(text, file));
  if (kind == "endpoints") return outcome(load_endpoints(text, file));
  if (kind == "mesh") return outcome(load_mesh(text, file));
  if (kind == "labels") return outcome(load_endpoint_labels(labels_of(text), file));
  if (kind == "objects") return outcome(load_objects(text, file));
  return "unknown kind of file: " + std::string(kind) + "\n";
}

/// The lines up to the one that is `end`, which is taken too.
std::string lines_until(std::istream& in, std::string_view end) {
  std::string out;
  for (std::string line; std::getline(in, line) && line != end;) out += line + "\n";
  return out;
}

/// The scenario as it would be if everything that came out were right.
std::string replay(const std::string& scenario) {
  std::istringstream in(scenario);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    out += line + "\n";
    const auto words = split(line, ' ');
    if (words.size() != 3 || words[0] != "load") continue;
    const std::string text = lines_until(in, "----");
    lines_until(in, "");
    out += text + "----\n" + load_as(words[1], text, std::string(words[2]));
    if (in) out += "\n";
  }
  return out;
}

TEST(ConfigScenario, every_problem_reads_as_written_down) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator("tests/scenario/config")) files.push_back(entry.path());
  std::ranges::sort(files);
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    const std::string scenario = read_file(file.string()).value();
    const std::string got = replay(scenario);
    if (std::getenv("MESHDNS_REWRITE") != nullptr) {
      std::ofstream(file) << got;
    } else {
      EXPECT_EQ(scenario, got) << file << " (set MESHDNS_REWRITE=1 to rewrite it)";
    }
  }
}

}  // namespace
}  // namespace meshdns::config
