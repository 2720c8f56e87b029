#include "dnsd/ctl/files.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <set>

#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/load.h"
#include "dnsd/ctl/commands.h"

namespace meshdns::ctl {
namespace {

namespace fs = std::filesystem;

/// Returns the files of a folder; nothing = the folder cannot be read.
std::optional<std::vector<std::string>> files_in(const std::string& folder) {
  static const std::set<std::string> kEndings = {".yaml", ".yml", ".json"};
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (kEndings.contains(at->path().extension().string())) out.push_back(at->path().string());
  }
  if (error) {
    std::cerr << folder << ": " << error.message() << "\n";
    return std::nullopt;
  }
  if (out.empty()) {
    std::cerr << folder << ": there is no .yaml, .yml or .json in it\n";
    return std::nullopt;
  }
  std::ranges::sort(out);
  return out;
}

/// Adds the objects of one file.
/// returns: the number of errors that were printed
std::size_t read_into(const std::string& file, std::vector<v1::Object>& out) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    auto read = read_file(file);
    if (!read) {
      std::cerr << read.error().message() << "\n";
      return 1;
    }
    text = std::move(*read);
  }
  const std::string name = file == "-" ? "standard input" : file;
  auto objects = config::load_objects(text, name);
  if (!objects) {
    std::cerr << config::problems_text(objects.error());
    return objects.error().size();
  }
  if (objects->empty()) {
    std::cerr << name << ": there is no object in it\n";
    return 1;
  }
  std::ranges::move(*objects, std::back_inserter(out));
  return 0;
}

}  // namespace

std::optional<std::vector<std::string>> files_named(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) {
    std::error_code ignored;
    if (word == "-" || !fs::is_directory(word, ignored)) {
      out.push_back(word);
      continue;
    }
    const auto inside = files_in(word);
    if (!inside) return std::nullopt;
    out.insert(out.end(), inside->begin(), inside->end());
  }
  return out;
}

std::optional<std::vector<v1::Object>> read_objects(const std::vector<std::string>& files, const char* outcome) {
  const auto all = files_named(files);
  if (!all) return std::nullopt;
  std::vector<v1::Object> out;
  std::size_t errors = 0;
  for (const std::string& file : *all) errors += read_into(file, out);
  if (errors == 0) return out;
  std::cerr << counted(errors, "error") << ", " << outcome << "\n";
  return std::nullopt;
}

std::optional<std::vector<v1::Object>> read_objects(const std::string& file, const char* outcome) {
  return read_objects(std::vector{file}, outcome);
}

}  // namespace meshdns::ctl
