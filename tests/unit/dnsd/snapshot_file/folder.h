#pragma once

#include <string>

#include "tests/support/temporary_folder.h"

namespace meshdns::snapshot_file {

/// A folder of its own for snapshots.
class Folder : public test::TemporaryFolder {
 public:
  /// Of a snapshot, without the ending.
  std::string file() const { return path("replica"); }
};

}  // namespace meshdns::snapshot_file
