#pragma once

#include <string>

#include "common/base/result.h"
#include "dnsd/store/store.h"

namespace meshdns::persistence {

/// The file beside a store that tells a first start from a lost store, and a whole store from one that has lost its
/// last transactions: it says how many there were. It is written like a record: whole or not at all, and durably, so
/// that it never says less than it said before.
/// thread: one at a time
class StoreMarker {
 public:
  enum class Word {
    None,        // there is no such file: this federation has not run here
    Whole,       // what is in the store is all that there is
    Recovering,  // the store was lost, and what was lost is being learnt
    Claimed,     // the same, but nothing says that the store was lost except a subscriber
    Unknown,     // the file says nothing that means something: this federation may have run here
  };

  struct Content {
    Word word = Word::None;
    store::Written written{};  // by then; none where an earlier version has written the file
  };

  explicit StoreMarker(std::string path) : path_(std::move(path)) {}

  /// A file that cannot be read is Unknown.
  Content read() const;
  /// word: Whole, Recovering or Claimed
  /// errors: Unavailable: the file is as it was
  Result<void> write(const Content& content) const;

 private:
  std::string path_;
};

}  // namespace meshdns::persistence
