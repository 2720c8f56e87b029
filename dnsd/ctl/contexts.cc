#include "dnsd/ctl/contexts.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/membership/member.h"

namespace meshdns::ctl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOperator = "operator";  // the stem of the files

fs::path folder() {
  if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config != '\0')
    return fs::path(config) / "meshdns";
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "/" : home) / ".config" / "meshdns";
}

fs::path folder_of(const std::string& name) { return folder() / "contexts" / name; }

/// Returns the text of a file without white space around it; empty = it cannot be read.
std::string line_in(const fs::path& path) { return std::string(trim(read_file(path.string()).value_or(""))); }

}  // namespace

Result<Context> context_named(const std::string& name, const std::string& server) {
  const bool fits = !name.empty() && name.size() <= 64 && name.front() != '.' && std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_';
  });
  if (!fits) return Error(Code::InvalidArgument, "a context's name has letters, digits, . - _ (got " + name + ")");
  return Context{name, server, membership::files_in(folder_of(name).string(), kOperator)};
}

std::vector<Context> contexts() {
  std::vector<Context> out;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder() / "contexts", ignored)) {
    auto found = context_named(entry.path().filename().string(), line_in(entry.path() / "server"));
    if (found && !found->server.empty()) out.push_back(*std::move(found));
  }
  std::ranges::sort(out, {}, &Context::name);
  return out;
}

std::optional<Context> current_context() {
  const std::string name = line_in(folder() / "current");
  for (Context& each : contexts()) {
    if (each.name == name) return std::move(each);
  }
  return std::nullopt;
}

Result<void> keep_context(const Context& context) {
  const fs::path at = folder_of(context.name);
  if (auto made = make_private_folder(at.string()); !made) return made;
  return put_file((at / "server").string(), context.server + "\n", 0600);
}

Result<void> use_context(const std::string& name) {
  std::vector<std::string> names;
  for (const Context& each : contexts()) names.push_back(each.name);
  if (std::ranges::find(names, name) == names.end()) {
    const std::string others =
        names.empty() ? "there is none: meshdnsctl login makes one" : "there are " + join(names, ", ");
    return Error(Code::NotFound, "no context " + name + "; " + others);
  }
  return put_file((folder() / "current").string(), name + "\n", 0600);
}

}  // namespace meshdns::ctl
