#include "agent/discovery/static_source.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/log/log.h"

namespace meshdns::discovery {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNoEndpoints = "only files whose names end in .yaml list endpoints";
constexpr std::uintmax_t kLargestFile = std::uintmax_t{64} << 20;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

/// Reads a regular file. Anything else is refused: reading a pipe could block the agent.
Result<std::string> regular_text(const std::string& path) {
  std::error_code error;
  const auto kind = fs::status(path, error).type();
  if (kind != fs::file_type::regular && kind != fs::file_type::not_found && kind != fs::file_type::none) {
    return Error(Code::FailedPrecondition, path + ": not a regular file");
  }
  const auto size = fs::file_size(path, error);
  if (!error && size > kLargestFile) {
    return Error(Code::FailedPrecondition, path + ": larger than 64 MiB, which no list of endpoints is");
  }
  return read_file(path);
}

/// Logs when the error of a file or directory begins, changes or ends.
void log_change(const std::string& path, const std::string& before, const std::string& now) {
  if (before == now) return;
  if (now.empty()) return log::info("endpoints.d is read again", {{"path", path}});
  for (const auto line : split(now, '\n')) log::warn("endpoints.d has a problem", {{"problem", line}});
}

void log_changes(const std::vector<StaticSource::FileState>& before, const std::vector<StaticSource::FileState>& now) {
  std::map<std::string, std::string> errors;
  for (const auto& file : before) errors[file.path] = file.error;
  for (const auto& file : now) log_change(file.path, errors[file.path], file.error);
  for (const auto& file : before) {
    const bool gone = std::ranges::find(now, file.path, &StaticSource::FileState::path) == now.end();
    if (gone && !file.error.empty()) log::info("wrong file of endpoints.d is gone", {{"path", file.path}});
  }
}

}  // namespace

StaticSource::StaticSource(std::string directory, Defaults defaults)
    : directory_(std::move(directory)), defaults_(std::move(defaults)) {}

void StaticSource::set_defaults(Defaults defaults) {
  defaults_ = std::move(defaults);
  for (auto& [path, file] : files_) file.stamp = {};
}

bool StaticSource::refresh() {
  const auto found = names();
  const bool read = found && read_files(*found);
  std::string error = found ? std::string() : found.error().message();
  if (!read && error == listing_.error) return false;  // a listing of thousands of endpoints is not made each second
  Listing now = listing(std::move(error));
  if (now == listing_) return false;
  log_change(directory_, listing_.error == Listing().error ? std::string() : listing_.error, now.error);
  log_changes(listing_.files, now.files);
  listing_ = std::move(now);
  return true;
}

SourceState StaticSource::state() const {
  SourceState out{listed(), error()};
  for (const auto& file : files()) {
    if (!file.error.empty()) out.error += (out.error.empty() ? "" : "\n") + file.error;
  }
  return out;
}

/// Hidden files are neither read nor logged: editors' .app.yaml.swp, and the ..data of a mounted ConfigMap.
Result<std::vector<std::string>> StaticSource::names() {
  std::vector<std::string> out;
  std::set<std::string> others;
  std::error_code error;
  fs::directory_iterator at(directory_, error);
  for (; !error && at != fs::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename();
    if (name.starts_with('.')) continue;
    if (name.ends_with(".yaml")) {
      out.push_back(at->path());
    } else {
      others.insert(at->path());
    }
  }
  if (error) return Error(Code::Unavailable, directory_ + ": " + ascii_lower(error.message()));
  for (const std::string& path : others) {
    if (!others_.contains(path)) log::warn("file of endpoints.d ignored", {{"path", path}, {"reason", kNoEndpoints}});
  }
  others_ = std::move(others);
  std::sort(out.begin(), out.end());
  return out;
}

/// returns: whether a file was read, or is gone
bool StaticSource::read_files(const std::vector<std::string>& names) {
  bool changed = std::erase_if(files_, [&](const auto& file) {
                   return !std::binary_search(names.begin(), names.end(), file.first);
                 }) > 0;
  for (const auto& path : names) {
    const auto [at, is_new] = files_.try_emplace(path);
    // Take the stamp before reading: if the file is written meanwhile, the next refresh() sees another stamp.
    const Stamp stamp = stamp_of(path);
    if (!is_new && at->second.stamp == stamp) continue;
    at->second.stamp = stamp;
    read_file(path, at->second);
    changed = true;
  }
  return changed;
}

void StaticSource::read_file(const std::string& path, File& file) const {
  const auto text = regular_text(path);
  if (!text) {
    file.error = text.error().message();
    file.stamp = {};  // read again next time: the cause may go without a change of the file's stamp
    return;
  }
  auto endpoints = read_endpoints(*text, path, defaults_);
  file.error = endpoints ? std::string() : without_line_end(config::problems_text(endpoints.error()));
  if (endpoints) file.endpoints = std::move(*endpoints);
}

/// returns: all zero = there is no such file
StaticSource::Stamp StaticSource::stamp_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = static_cast<std::uint64_t>(info.st_size),
          .modified_ns = nanoseconds(info.st_mtim),
          .changed_ns = nanoseconds(info.st_ctim)};
}

StaticSource::Listing StaticSource::listing(std::string error) const {
  const bool readable = error.empty();
  Listing out{.listed = readable, .error = std::move(error)};
  std::map<std::string, std::string> owners;  // of each key, the path
  for (const auto& [path, file] : files_) {
    FileState state{.path = path, .listed = file.error.empty(), .error = file.error};
    for (const auto& found : file.endpoints) {
      const auto [owner, is_first] = owners.emplace(found.key, path);
      if (is_first) {
        out.endpoints.push_back(found);
      } else {
        state.error += (state.error.empty() ? "" : "\n") + path + ": " + found.key + " is listed in " + owner->second +
                       " already; left out here";
      }
    }
    out.listed = out.listed && state.listed;
    out.files.push_back(std::move(state));
  }
  return out;
}

}  // namespace meshdns::discovery
