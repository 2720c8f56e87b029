#include "agent/probes/cgroup_path.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <system_error>
#include <vector>

namespace meshdns::probes {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepest = 8;               // levels below the root; kubelets use up to 4, more if nested
constexpr std::size_t kMostRead = 4'000;  // folders of one search
constexpr std::array<std::string_view, 4> kRuntimes = {"", "cri-containerd-", "crio-", "docker-"};
constexpr std::array<std::string_view, 3> kClasses = {"burstable", "besteffort", "guaranteed"};

/// Whether a folder may lead to a pod of this uid. The driver systemd writes the uid with underscores.
bool leads_to(std::string_view folder, std::string_view uid, std::string_view uid_of_systemd) {
  const bool has_uid =
      folder.find(uid) != std::string_view::npos || folder.find(uid_of_systemd) != std::string_view::npos;
  return has_uid || (folder.starts_with("kube") && folder.find("-pod") == std::string_view::npos) ||
         std::ranges::find(kClasses, folder) != kClasses.end();
}

/// Searches level by level, so that the many folders below a container are read last.
std::optional<std::string> search(const std::string& root, std::string_view name,
                                  const std::function<bool(std::string_view)>& enters) {
  std::vector<fs::path> level = {root};
  std::size_t read = 0;
  for (int depth = 0; depth < kDeepest && !level.empty(); ++depth) {
    std::vector<fs::path> below;
    for (const fs::path& folder : level) {
      if (++read > kMostRead) return std::nullopt;
      std::error_code error;
      for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code unknown;
        if (!at->is_directory(unknown) || at->is_symlink(unknown)) continue;
        const std::string found = at->path().filename().string();
        if (is_container_folder(found, name)) return at->path().string();
        if (enters(found)) below.push_back(at->path());
      }
    }
    level = std::move(below);
  }
  return std::nullopt;
}

}  // namespace

std::string_view container_name(std::string_view container_id) {
  const auto separator = container_id.find("://");
  if (separator == std::string_view::npos) return {};
  const std::string_view name = container_id.substr(separator + 3);
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
  return is_plain ? name : std::string_view();
}

bool is_container_folder(std::string_view folder, std::string_view name) {
  if (folder.ends_with(".scope")) folder.remove_suffix(6);
  if (name.empty() || !folder.ends_with(name)) return false;
  folder.remove_suffix(name.size());
  return std::ranges::find(kRuntimes, folder) != kRuntimes.end();
}

std::optional<std::string> find_cgroup(const std::string& root, std::string_view pod, std::string_view name) {
  std::string of_systemd(pod);
  std::ranges::replace(of_systemd, '-', '_');
  if (!pod.empty()) {
    auto found = search(root, name, [&](std::string_view folder) { return leads_to(folder, pod, of_systemd); });
    if (found) return found;
  }
  return search(root, name, [](std::string_view) { return true; });
}

}  // namespace meshdns::probes
