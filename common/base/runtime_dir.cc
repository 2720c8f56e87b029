#include "common/base/runtime_dir.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/private_folder.h"

namespace meshdns {

std::string dev_folder() {
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  if (folder != nullptr && *folder != '\0') return std::string(folder) + "/meshdns-dev";
  return (std::filesystem::temp_directory_path() / ("meshdns-dev-" + std::to_string(::geteuid()))).string();
}

Result<void> own_dev_folder() {
  const std::string folder = dev_folder();
  if (auto made = make_private_folder(folder); !made) return made;
  // In the temporary folder another user may have created the folder before.
  if (const std::string why = untrusted(folder); !why.empty()) return Error(Code::FailedPrecondition, "--dev: " + why);
  return {};
}

}  // namespace meshdns
