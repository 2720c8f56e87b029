#include "agent/probes/service_board.h"

#include <algorithm>

namespace meshdns::probes {
namespace {

using health::Outcome;
using model::Health;

std::string text_of(const ServiceBoard::Name& name) { return name.first + "/" + name.second; }

std::string with_reason(const std::string& what, const std::string& reason) {
  return reason.empty() ? what : what + ": " + reason;
}

}  // namespace

ServiceBoard::Listening::Listening(ServiceBoard& board, Name name, std::function<void()> news)
    : board_(board), name_(std::move(name)), id_(board.next_id_++) {
  board_.listeners_[name_].emplace(id_, std::move(news));
}

ServiceBoard::Listening::~Listening() {
  const auto found = board_.listeners_.find(name_);
  found->second.erase(id_);
  if (found->second.empty()) board_.listeners_.erase(found);
}

void ServiceBoard::put(const std::string& key, const Name& name, const Health& health) {
  const auto known = endpoints_.find(key);
  if (known != endpoints_.end() && *known->second.name != name) leave(key);
  const auto before = has_listeners(name) ? judged(name) : health::ProbeResult{};
  if (endpoints_.contains(key)) drop(key);
  const auto of_name = services_.try_emplace(name).first;
  const Entry entry{&of_name->first, health.state, health.in_doubt, health.detail};
  Service& service = of_name->second;
  service.keys.insert(endpoints_.emplace(key, entry).first->first);
  if (health.state == model::HealthState::Serving) ++service.serving;
  if (has_listeners(name) && judged(name) != before) tell(name);
}

void ServiceBoard::set_aliases(const std::string& key, const std::vector<AliasCheck>& aliases) {
  aliases_.erase(key);
  for (const AliasCheck& alias : aliases) aliases_[key].emplace(alias.namespace_, alias.service);
}

void ServiceBoard::remove(const std::string& key) {
  aliases_.erase(key);
  if (endpoints_.contains(key)) leave(key);
}

/// Takes an endpoint out of its service.
void ServiceBoard::leave(const std::string& key) {
  const auto known = endpoints_.find(key);
  const Name name = *known->second.name;
  const auto before = has_listeners(name) ? judged(name) : health::ProbeResult{};
  drop(key);
  if (has_listeners(name) && judged(name) != before) tell(name);
}

void ServiceBoard::drop(const std::string& key) {
  const auto known = endpoints_.find(key);
  const auto service = services_.find(*known->second.name);
  service->second.keys.erase(key);
  if (known->second.state == model::HealthState::Serving) --service->second.serving;
  if (service->second.keys.empty()) services_.erase(service);
  endpoints_.erase(known);
}

std::size_t ServiceBoard::serving(const Name& name) const {
  const auto service = services_.find(name);
  return service == services_.end() ? 0 : service->second.serving;
}

health::ProbeResult ServiceBoard::result(const Name& name, const Name& asker) const {
  if (!depends(name, asker)) return judged(name);
  if (name == asker) return {Outcome::Unknown, "the alias " + text_of(name) + " is the service itself"};
  return {Outcome::Unknown, "the alias " + text_of(name) + " depends on " + text_of(asker) + " itself"};
}

health::ProbeResult ServiceBoard::judged(const Name& name) const {
  const auto service = services_.find(name);
  if (service == services_.end()) return {Outcome::Unknown, "this node has no endpoint of " + text_of(name)};
  const Entry* doubtful = nullptr;
  const Entry* failing = nullptr;
  for (const std::string_view key : service->second.keys) {
    const Entry& entry = endpoints_.find(key)->second;
    if (entry.state == model::HealthState::Serving) {
      if (!entry.in_doubt) return {.outcome = Outcome::Success, .certain = true};
      if (doubtful == nullptr) doubtful = &entry;
    } else if (entry.state != model::HealthState::Pending && failing == nullptr) {
      failing = &entry;
    }
  }
  if (doubtful != nullptr) {
    return {.outcome = Outcome::Warning,
            .detail = with_reason(text_of(name) + " is in doubt", doubtful->detail),
            .certain = true};
  }
  if (failing == nullptr) {
    return {.outcome = Outcome::Unknown, .detail = text_of(name) + " was not judged yet", .pending = true};
  }
  return {.outcome = Outcome::Failure,
          .detail = with_reason(text_of(name) + " is " + std::string(model::health_state_name(failing->state)),
                                failing->detail),
          .certain = true};
}

bool ServiceBoard::depends(const Name& name, const Name& on) const {
  std::set<Name> seen;
  std::vector<Name> next = {name};
  while (!next.empty()) {
    const Name here = next.back();
    next.pop_back();
    if (here == on) return true;
    const auto service = services_.find(here);
    if (!seen.insert(here).second || service == services_.end()) continue;
    for (const std::string_view key : service->second.keys) {
      const auto aliases = aliases_.find(key);
      if (aliases != aliases_.end()) next.insert(next.end(), aliases->second.begin(), aliases->second.end());
    }
  }
  return false;
}

/// Calls the listeners by their ids, because each call may add and remove listeners.
void ServiceBoard::tell(const Name& name) {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, news] : listeners_.at(name)) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto of_name = listeners_.find(name);
    if (of_name == listeners_.end()) return;
    const auto listener = of_name->second.find(id);
    if (listener == of_name->second.end()) continue;
    const auto news = listener->second;  // a copy: the call may end its own listening
    news();
  }
}

}  // namespace meshdns::probes
