#include "dnsd/app/store_marker.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "common/base/text.h"
#include "dnsd/snapshot_file/file_io.h"

namespace meshdns::app {
namespace {

constexpr const char* kWhole = "whole";
constexpr const char* kRecovering = "recovering";

}  // namespace

StoreMarker::Word StoreMarker::read() const {
  struct stat found {};
  if (::stat(path_.c_str(), &found) != 0 && errno == ENOENT) return Word::None;
  std::ifstream file(path_);
  std::string text;
  std::getline(file, text);
  if (trim(text) == kWhole) return Word::Whole;
  return trim(text) == kRecovering ? Word::Recovering : Word::Unknown;
}

Result<void> StoreMarker::write(Word word) const {
  const std::string text = std::string(word == Word::Recovering ? kRecovering : kWhole) + "\n";
  return snapshot_file::replace_file(path_, text);
}

}  // namespace meshdns::app
