#include "agent/discovery/pod_store.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <utility>

namespace meshdns::discovery {
namespace {

/// Orders pods that claim the same address: the greatest has it.
auto claim_of(const Pod& pod) { return std::tuple(!pod.deletion, pod.started, std::string_view(pod.uid)); }

bool has_own_addresses(const Pod& pod) { return !pod.has_ended() && !pod.host_network; }

}  // namespace

void PodStore::begin_list() {
  seen_.clear();
  lists_ = true;
  saw_unknown_ = false;
}

bool PodStore::apply(kubernetes::EventType type, const boost::json::object& object) {
  const std::string uid = uid_of(object);
  const bool deleted = type == kubernetes::EventType::Deleted;
  if (uid.empty()) saw_unknown_ = true;
  if (deleted && !uid.empty()) return remove(uid);
  if (lists_) seen_.insert(uid);
  return put(uid, object);
}

bool PodStore::put(const std::string& uid, const boost::json::object& object) {
  auto pod = read_pod(object);
  const auto known = pods_.find(uid);
  if (!pod) {
    const std::string title = known == pods_.end() ? "pod " + uid : known->second.title();
    return set_problem(uid, (uid.empty() ? "a pod" : title) + ": " + pod.error().message());
  }
  bool changed = problems_.erase(uid) > 0;
  std::vector<IpAddress>& addresses = reported_[uid];
  const bool was_deleted = known != pods_.end() && known->second.deletion;  // such a pod gets no new addresses
  if (!pod->addresses.empty() && !was_deleted) addresses = pod->addresses;
  // settle_addresses() gives the pod its addresses; until then it has those of before
  pod->addresses = known == pods_.end() ? std::vector<IpAddress>() : known->second.addresses;
  changed = changed || known == pods_.end() || known->second != *pod;
  pods_[uid] = std::move(*pod);
  return settle_addresses() || changed;
}

std::map<IpAddress, const Pod*> PodStore::owners() const {
  std::map<IpAddress, const Pod*> out;
  for (const auto& [uid, pod] : pods_) {
    if (!has_own_addresses(pod)) continue;
    for (const IpAddress& address : reported_.at(uid)) {
      const auto [owner, is_first] = out.emplace(address, &pod);
      if (!is_first && claim_of(*owner->second) < claim_of(pod)) owner->second = &pod;
    }
  }
  return out;
}

bool PodStore::settle_addresses() {
  bool changed = false;
  const auto owner = owners();
  for (auto& [uid, pod] : pods_) {
    std::vector<IpAddress>& reported = reported_.at(uid);
    std::vector<IpAddress> kept = reported;
    const Pod* const self = &pod;  // clang takes no structured binding into a lambda
    if (has_own_addresses(pod)) std::erase_if(kept, [&](const auto& address) { return owner.at(address) != self; });
    if (pod.deletion) reported = kept;
    changed = changed || pod.addresses != kept;
    pod.addresses = std::move(kept);
  }
  return changed;
}

bool PodStore::remove(const std::string& uid) {
  const bool had_problem = problems_.erase(uid) > 0;
  reported_.erase(uid);
  const bool had_pod = pods_.erase(uid) > 0;
  return settle_addresses() || had_pod || had_problem;
}

bool PodStore::set_problem(const std::string& uid, std::string problem) {
  std::string& known = problems_[uid];
  if (known == problem) return false;
  known = std::move(problem);
  return true;
}

// An object without a uid may be any of the pods that the list did not name. Then all of them stay until the next list.
bool PodStore::listed() {
  const auto is_gone = [this](const auto& entry) { return !seen_.contains(entry.first); };
  bool changed = !is_listed_;
  if (!saw_unknown_) {
    changed = std::erase_if(pods_, is_gone) > 0 || changed;
    changed = std::erase_if(problems_, is_gone) > 0 || changed;
    std::erase_if(reported_, is_gone);
  }
  changed = settle_addresses() || changed;
  is_listed_ = true;
  lists_ = false;
  seen_.clear();
  return changed;
}

}  // namespace meshdns::discovery
