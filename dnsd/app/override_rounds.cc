#include "dnsd/app/override_rounds.h"

#include <utility>

#include "common/log/log.h"
#include "common/time/time_text.h"

namespace meshdns::dnsd::app {
namespace {

void tell_of_begin(const std::string& key, const model::Override& word) {
  const std::string expires = word.expires == 0 ? "never" : time_text(word.expires);
  if (word.action == model::Action::Freeze) {
    log::warn("mesh frozen", {{"author", word.author}, {"reason", word.reason}, {"expires", expires}});
    return;
  }
  log::info("override in force", {{"name", key},
                                  {"action", action_name(word.action)},
                                  {"target", target_text(word.target)},
                                  {"author", word.author},
                                  {"reason", word.reason},
                                  {"expires", expires}});
}

void tell_of_end(const std::string& key, const model::Override& word, std::int64_t unix_seconds) {
  const bool over = topology::is_over(word, unix_seconds);
  if (word.action == model::Action::Freeze) return log::info("mesh thawed", {{"expired", over}});
  log::info(over ? "override expired" : "override taken back",
            {{"name", key}, {"action", action_name(word.action)}, {"target", target_text(word.target)}});
}

}  // namespace

OverrideRounds::~OverrideRounds() {
  if (timer_) environment_.timers.cancel(*timer_);
}

void OverrideRounds::watch() {
  environment_.expire();
  tell();
  timer_ = environment_.timers.after(kInterval, [this] { watch(); });
}

void OverrideRounds::tell() {
  const topology::Overrides& overrides = environment_.catalog.records().overrides;
  if (overrides == told_) return;
  for (const auto& [key, word] : told_) {
    const auto now = overrides.find(key);
    if (now == overrides.end() || !(now->second == word)) tell_of_end(key, word, environment_.clock.unix_seconds());
  }
  for (const auto& [key, word] : overrides) {
    const auto before = told_.find(key);
    if (before == told_.end() || !(before->second == word)) tell_of_begin(key, word);
  }
  told_ = overrides;
}

}  // namespace meshdns::dnsd::app
