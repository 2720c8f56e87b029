#include "agent/app/sources.h"

#include <algorithm>
#include <utility>

#include "agent/app/status.h"
#include "common/base/text.h"
#include "common/log/log.h"

namespace meshdns::agent::app {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (const auto line : split(text, '\n')) out.emplace_back(line);
  return out;
}

}  // namespace

Sources::Sources(const std::string& directory, const std::string& registrations, discovery::Defaults defaults)
    : defaults_(std::move(defaults)),
      files_(std::make_unique<discovery::StaticSource>(directory, defaults_)),
      local_(registrations, defaults_) {}

void Sources::add(std::unique_ptr<discovery::EndpointSource> source) { others_.push_back(std::move(source)); }

void Sources::set_defaults(const discovery::Defaults& defaults) {
  defaults_ = defaults;
  files_->set_defaults(defaults);
  files_->refresh();
  local_.set_defaults(defaults);
}

Result<void> Sources::move_files(const std::string& directory) {
  auto next = std::make_unique<discovery::StaticSource>(directory, defaults_);
  next->refresh();
  if (!next->error().empty()) return Error(Code::Unavailable, next->error());
  files_ = std::move(next);
  return {};
}

void Sources::gather() {
  endpoints_.clear();
  owners_.clear();
  left_out_.clear();
  const auto join = [&](const discovery::EndpointSource& source) {
    const std::string name(source.name());
    for (const auto& found : source.endpoints()) {
      const auto [owner, is_first] = owners_.emplace(found.key, name);
      if (is_first) {
        endpoints_.push_back(found);
      } else {
        left_out_[name].push_back(found.key + " is listed by the source " + owner->second + " already; left out here");
      }
    }
  };
  join(*files_);
  join(local_);
  for (const auto& source : others_) join(*source);
  log_problems();
}

void Sources::log_problems() {
  for (const auto& source : states()) {
    if (source.name == files_->name()) continue;
    const auto now = lines_of(source.error);
    const auto before = std::exchange(logged_[source.name], now);
    for (const std::string& problem : now) {
      if (std::ranges::find(before, problem) != before.end()) continue;
      log::warn("source of endpoints has a problem", {{"source", source.name}, {"problem", problem}});
    }
    if (now.empty() && !before.empty()) log::info("source of endpoints has no problem", {{"source", source.name}});
  }
}

std::string Sources::owner_besides_local(const std::string& target) const {
  const auto owner = owners_.find(target);
  if (owner != owners_.end()) return owner->second == discovery::kLocalSource ? "" : owner->second;
  const auto found = std::ranges::find_if(endpoints_, [&](const discovery::Discovered& candidate) {
    return candidate.endpoint.source != discovery::kLocalSource &&
           candidate.endpoint.namespace_ + "/" + candidate.endpoint.service == target;
  });
  return found == endpoints_.end() ? "" : found->endpoint.source;
}

report::SourceState Sources::state_of(const discovery::EndpointSource& source) const {
  const auto own = source.state();
  report::SourceState out{std::string(source.name()), own.listed, own.error};
  const auto left_out = left_out_.find(out.name);
  if (left_out == left_out_.end()) return out;
  for (const std::string& problem : left_out->second) out.error += (out.error.empty() ? "" : "\n") + problem;
  return out;
}

std::vector<report::SourceState> Sources::states() const {
  std::vector<report::SourceState> out = {state_of(*files_), state_of(local_)};
  for (const auto& source : others_) out.push_back(state_of(*source));
  return out;
}

std::vector<report::SourceState> Sources::told() const {
  auto out = states();
  for (auto& state : out) {
    if (state.name == files_->name()) state = told_state(*files_);
    if (state.listed) state.error.clear();
  }
  return out;
}

std::string Sources::unread_text(const std::string& node) const {
  const std::string files = app::unread_text(*files_, node);
  if (!files.empty()) return files;
  for (const auto& state : told()) {
    if (state.listed) continue;
    const std::string why = state.error.empty() ? "" : ": " + lines_of(state.error).front();
    return node + " does not read all of the source " + state.name + why;
  }
  return {};
}

std::map<std::string, std::size_t> Sources::problem_counts() const {
  std::map<std::string, std::size_t> out;
  for (const auto& state : states()) out[state.name] = lines_of(state.error).size();
  return out;
}

}  // namespace meshdns::agent::app
