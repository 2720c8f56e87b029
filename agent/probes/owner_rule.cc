#include "agent/probes/owner_rule.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <deque>
#include <system_error>
#include <vector>

#include "common/base/text.h"

namespace meshdns::probes {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's (path_resolution(7))

std::string reason(const std::string& path) { return path + ": " + std::generic_category().message(errno); }

/// Returns the parts of a path between slashes, without empty ones and ".".
std::deque<std::string> parts_of(std::string_view path) {
  std::deque<std::string> out;
  for (const auto part : split(path, '/')) {
    if (!part.empty() && part != ".") out.emplace_back(part);
  }
  return out;
}

std::string link_target(const std::string& path) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

/// Walks along a path as the kernel does, and lets the rule judge every folder and the file at the end.
class Walk {
 public:
  Walk(const std::string& path, const OwnerRule& rule) : rule_(rule), left_(parts_of(path)) {}

  std::string problem() {
    std::string out = judge("/");
    while (out.empty() && !left_.empty()) out = step();
    if (!out.empty()) return out;
    if (!S_ISREG(last_.st_mode)) return at() + " is not a file";
    return (last_.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0 ? at() + " is not executable" : "";
  }

 private:
  /// Returns the path that the walk has reached, without links.
  std::string at() const {
    std::string out;
    for (const std::string& part : done_) out += "/" + part;
    return out.empty() ? "/" : out;
  }

  std::string judge(const std::string& path) {
    if (::lstat(path.c_str(), &last_) != 0) return reason(path);
    // a link's own permissions mean nothing: who may replace it is said by its folder, which was judged before
    return S_ISLNK(last_.st_mode) ? "" : rule_(path, last_);
  }

  std::string step() {
    const std::string part = left_.front();
    left_.pop_front();
    if (part == "..") {
      if (!done_.empty()) done_.pop_back();
      return judge(at());
    }
    done_.push_back(part);
    std::string problem = judge(at());
    return problem.empty() && S_ISLNK(last_.st_mode) ? follow() : problem;
  }

  std::string follow() {
    const std::string link = at();
    if (++links_ > kMostLinks) return link + ": too many symbolic links";
    const std::string target = link_target(link);
    if (target.empty()) return reason(link);
    done_.pop_back();
    if (target.starts_with('/')) done_.clear();
    const auto parts = parts_of(target);
    left_.insert(left_.begin(), parts.begin(), parts.end());
    return {};
  }

  const OwnerRule& rule_;
  std::deque<std::string> left_;
  std::vector<std::string> done_;
  struct stat last_ {};
  int links_ = 0;
};

}  // namespace

std::string only_root_writes(const std::string& path, const struct stat& found) {
  if (found.st_uid != 0) return path + " belongs to user " + std::to_string(found.st_uid) + ", not to root";
  if ((found.st_mode & S_IWOTH) != 0) return path + " is writable by everybody";
  if ((found.st_mode & S_IWGRP) != 0) return path + " is writable by its group";
  return {};
}

std::string program_problem(const std::string& path, const OwnerRule& rule) {
  if (!path.starts_with('/')) return path + " is not an absolute path";
  return Walk(path, rule).problem();
}

}  // namespace meshdns::probes
