#include "agent/discovery/container_store.h"

#include <utility>

#include "common/base/printable.h"

namespace meshdns::discovery {
namespace {

using Kind = ContainerEvent::Kind;

constexpr std::size_t kShownDigits = 12;

}  // namespace

void ContainerStore::take_list(const std::set<std::string>& ids) {
  wanted_.insert(ids.begin(), ids.end());
  for (const auto& [id, container] : containers_) wanted_.insert(id);
  for (const auto& [id, problem] : problems_) wanted_.insert(id);
}

bool ContainerStore::take_event(const ContainerEvent& event) {
  const auto known = containers_.find(event.id);
  if (event.kind == Kind::Other || (known == containers_.end() && !event.labelled)) return false;
  wanted_.insert(event.id);
  if (under_way_ == event.id) outdated_ = true;
  if (known == containers_.end()) return false;
  const Container before = known->second;
  if (event.kind == Kind::Ended) known->second.running = known->second.paused = false;
  if (event.kind == Kind::Paused) known->second.paused = true;
  if (event.kind == Kind::Unhealthy) known->second.health = "unhealthy";
  return known->second != before;
}

std::optional<std::string> ContainerStore::next() {
  if (under_way_ || wanted_.empty()) return std::nullopt;
  under_way_ = wanted_.extract(wanted_.begin()).value();
  outdated_ = false;
  return under_way_;
}

bool ContainerStore::take(const Result<std::optional<Container>>& container) {
  const auto id = std::exchange(under_way_, std::nullopt);
  if (!id || std::exchange(outdated_, false)) return false;
  if (!container) {
    std::string problem = printable(id->substr(0, kShownDigits)) + ": " + container.error().message();
    std::string& known = problems_[*id];
    return std::exchange(known, problem) != problem;
  }
  if (!*container || (*container)->labels.empty()) return forget(*id);
  const bool was_unreadable = problems_.erase(*id) > 0;
  const auto [at, is_new] = containers_.try_emplace(*id, **container);
  if (is_new) return true;
  return std::exchange(at->second, **container) != **container || was_unreadable;
}

void ContainerStore::interrupted() {
  if (const auto id = std::exchange(under_way_, std::nullopt)) wanted_.insert(*id);
  outdated_ = false;
}

bool ContainerStore::forget(const std::string& id) {
  const bool had_problem = problems_.erase(id) > 0;
  return containers_.erase(id) > 0 || had_problem;
}

}  // namespace meshdns::discovery
