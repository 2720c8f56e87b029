#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace meshdns::test {

/// A folder of its own that goes with the test.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = (parent / "meshdns-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;  // without a folder, nothing can be written in the test
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace meshdns::test
