#pragma once

#include <string>

#include "common/base/result.h"

namespace meshdns::app {

/// The file beside a store that tells a first start from a lost store. It is written like a record: whole or not at
/// all, and durably, so that it never says less than it said before.
/// thread: one at a time
class StoreMarker {
 public:
  enum class Word {
    None,        // there is no such file: this federation has not run here
    Whole,       // what is in the store is all that there is
    Recovering,  // the store was lost, and what was lost is being learnt
    Unknown,     // the file says nothing that means something: this federation may have run here
  };

  explicit StoreMarker(std::string path) : path_(std::move(path)) {}

  /// A file that cannot be read is Unknown.
  Word read() const;
  /// word: Whole or Recovering
  /// errors: Unavailable: the file is as it was
  Result<void> write(Word word) const;

 private:
  std::string path_;
};

}  // namespace meshdns::app
