#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "dnsd/store/store.h"

namespace meshdns::store {

/// A folder of its own that goes with the test.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string pattern = parent / "meshdns-store-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path(const std::string& name = "federation.db") const { return (path_ / name).string(); }
  std::string path_of_folder() const { return path_.string(); }
  /// How many files have `part` in their name.
  int count(const std::string& part) const {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      found += entry.path().filename().string().find(part) != std::string::npos ? 1 : 0;
    }
    return found;
  }

 private:
  std::filesystem::path path_;
};

/// Where files lie in memory, for tests of thousands of files that are not about the disk.
inline std::filesystem::path memory_folder() {
  return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path();
}

inline std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

/// The message of a failed call; "" = it did not fail.
template <class T>
std::string message_of(const Result<T>& result) {
  return result ? "" : result.error().message();
}

}  // namespace meshdns::store
