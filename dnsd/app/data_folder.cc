#include "dnsd/app/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "common/log/log.h"
#include "dnsd/app/local_overrides.h"
#include "dnsd/app/replica.h"
#include "dnsd/persistence/seed.h"
#include "dnsd/snapshot_file/kept_answers.h"

namespace meshdns::dnsd::app {
namespace {

constexpr mode_t kOthers = 0077;

/// Returns whether a file is of meshdnsd by its name: the database, its log and its marker; snapshots of both
/// generations, and unfinished ones.
bool is_ours(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kStems = {persistence::kFederationSnapshot, Replica::kFile,
                                                             snapshot_file::KeptAnswers::kFile, LocalOverrides::kFile};
  return std::ranges::any_of(kStems, [name](std::string_view stem) {
    return name.starts_with(stem) && name.substr(stem.size()).starts_with('.');
  });
}

/// Removes the rights of group and others from a file.
/// returns: false = nothing was removed: the file is not a regular one of this user, has no such rights, or chmod failed
bool take_rights_of_others(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return false;
  struct stat found {};
  const bool open_to_others = ::fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid() &&
                              (found.st_mode & kOthers) != 0;
  const bool taken = open_to_others && ::fchmod(file, found.st_mode & 0600U) == 0;
  ::close(file);
  return taken;
}

}  // namespace

void guard_data_folder(const std::string& folder) {
  struct stat found {};
  if (::stat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) return;
  if ((found.st_mode & kOthers) != 0) {
    log::warn("data_dir is open to others", {{"folder", folder},
                                             {"mode", fmt::format("{:04o}", found.st_mode & 07777U)},
                                             {"todo", "chmod 0700, unless others need it"}});
  }
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (!is_ours(at->path().filename().string()) || !take_rights_of_others(at->path())) continue;
    log::info("state file was open to others", {{"path", at->path().string()}, {"mode", "0600"}});
  }
}

}  // namespace meshdns::dnsd::app
