#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace meshdns::snapshot_file {

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "keeper-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }
  /// Of a snapshot, without the ending.
  std::string file() const { return path_ + "/replica"; }

 private:
  std::string path_;
};

}  // namespace meshdns::snapshot_file
