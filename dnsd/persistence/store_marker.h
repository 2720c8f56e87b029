#pragma once

#include <string>

#include "common/base/result.h"
#include "dnsd/store/store.h"

namespace meshdns::persistence {

/// Reads and writes the file beside a store that tells a first start from a lost store. The file also says how many
/// transactions the store had, which tells a whole store from one that has lost its last transactions. It is replaced
/// atomically and durably, so that it never says less than it said before.
/// thread: one at a time
class StoreMarker {
 public:
  enum class Word {
    None,        // there is no file: this federation has not run here
    Whole,       // the store has everything
    Recovering,  // the store was lost, and agents are still reporting its records again
    Claimed,     // like Recovering, but only a subscriber says that the store was lost
    Unknown,     // the file cannot be understood: this federation may have run here
  };

  struct Content {
    Word word = Word::None;
    store::Written written{};  // transactions so far; none if an earlier version has written the file
  };

  explicit StoreMarker(std::string path) : path_(std::move(path)) {}

  /// Returns the content of the file: None if there is no file, Unknown if it cannot be read.
  Content read() const;
  /// Replaces the file, and waits until it is on the disk.
  /// requires: the word is Whole, Recovering or Claimed
  /// errors: Unavailable: the file is unchanged
  Result<void> write(const Content& content) const;

 private:
  std::string path_;
};

}  // namespace meshdns::persistence
