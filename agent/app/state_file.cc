#include "agent/app/state_file.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "common/base/durable_file.h"
#include "common/base/private_folder.h"
#include "common/base/whole_file.h"
#include "common/log/log.h"

namespace meshdns::agent::app {

void StateFile::load(const std::function<Result<void>(const std::string&)>& take) {
  const auto text = read_file(path_);
  if (!text && text.error().code() == Code::NotFound) return;
  const auto taken = text ? take(*text) : Result<void>(text.error());
  if (taken) return;
  const std::string broken = path_ + ".broken";
  std::error_code error;
  std::filesystem::rename(path_, broken, error);
  const std::string kept = error ? path_ : broken;
  trouble_ = what_ + " of before the restart are forgotten: " + kept + ": " + taken.error().message();
  log::warn("kept state cannot be read", {{"what", what_}, {"file", kept}, {"error", taken.error()}});
}

std::string StateFile::save(const std::string& content) {
  auto done = make_private_folder(std::filesystem::path(path_).parent_path());
  if (done) done = replace_file(path_, content);
  const std::string before =
      std::exchange(trouble_, done ? "" : what_ + " are forgotten at a restart: " + done.error().message());
  if (!done && before != trouble_) {
    log::warn("state cannot be kept over a restart", {{"what", what_}, {"error", done.error()}});
  }
  if (done && !before.empty()) log::info("state is kept over a restart", {{"what", what_}});
  return trouble_;
}

}  // namespace meshdns::agent::app
