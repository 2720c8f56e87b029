#include "common/base/runtime_dir.h"

#include <cstdlib>
#include <filesystem>

namespace meshdns {

std::string runtime_dir() {
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  return folder != nullptr && *folder != '\0' ? folder : std::filesystem::temp_directory_path().string();
}

}  // namespace meshdns
