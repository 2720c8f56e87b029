#include "dnsd/persistence/store_marker.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

#include "common/base/durable_file.h"
#include "common/base/text.h"

namespace meshdns::persistence {
namespace {

constexpr const char* kWhole = "whole";
constexpr const char* kRecovering = "recovering";
constexpr const char* kClaimed = "claimed";

StoreMarker::Word word_of(std::string_view text) {
  if (text == kWhole) return StoreMarker::Word::Whole;
  if (text == kRecovering) return StoreMarker::Word::Recovering;
  return text == kClaimed ? StoreMarker::Word::Claimed : StoreMarker::Word::Unknown;
}

const char* text_of(StoreMarker::Word word) {
  if (word == StoreMarker::Word::Recovering) return kRecovering;
  return word == StoreMarker::Word::Claimed ? kClaimed : kWhole;
}

}  // namespace

StoreMarker::Content StoreMarker::read() const {
  struct stat found {};
  if (::stat(path_.c_str(), &found) != 0 && errno == ENOENT) return {};
  std::ifstream file(path_);
  std::string word;
  std::string numbers;
  std::getline(file, word);
  std::getline(file, numbers);
  return {word_of(trim(word)), store::written_of(trim(numbers))};
}

Result<void> StoreMarker::write(const Content& content) const {
  // the word has a line of its own: earlier versions read the first line only
  return replace_file(path_, std::string(text_of(content.word)) + "\n" + store::written_text(content.written) + "\n");
}

}  // namespace meshdns::persistence
