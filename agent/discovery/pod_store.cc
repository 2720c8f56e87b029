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
  Uids touched;
  unclaim(uid, touched);
  std::vector<IpAddress>& addresses = reported_[uid];
  const bool was_deleted = known != pods_.end() && known->second.deletion;  // such a pod gets no new addresses
  if (!pod->addresses.empty() && !was_deleted) addresses = pod->addresses;
  // settle() gives the pod its addresses; until then it has those of before
  pod->addresses = known == pods_.end() ? std::vector<IpAddress>() : known->second.addresses;
  changed = changed || known == pods_.end() || known->second != *pod;
  pods_[uid] = std::move(*pod);
  claim(uid, touched);
  return settle(touched) || changed;
}

void PodStore::claim(const std::string& uid, Uids& touched) {
  touched.insert(uid);
  if (!has_own_addresses(pods_.at(uid))) return;
  for (const IpAddress& address : reported_.at(uid)) {
    Uids& claimants = claimants_[address];
    touched.insert(claimants.begin(), claimants.end());
    claimants.insert(uid);
  }
}

void PodStore::unclaim(const std::string& uid, Uids& touched) {
  const auto reported = reported_.find(uid);
  if (reported == reported_.end()) return;
  for (const IpAddress& address : reported->second) {
    drop_claim(address, uid);
    const auto others = claimants_.find(address);
    if (others != claimants_.end()) touched.insert(others->second.begin(), others->second.end());
  }
}

void PodStore::drop_claim(const IpAddress& address, const std::string& uid) {
  const auto claimants = claimants_.find(address);
  if (claimants == claimants_.end()) return;
  claimants->second.erase(uid);
  if (claimants->second.empty()) claimants_.erase(claimants);
}

bool PodStore::has(const std::string& uid, const IpAddress& address) const {
  const auto is_less = [this](const std::string& a, const std::string& b) {
    return claim_of(pods_.at(a)) < claim_of(pods_.at(b));
  };
  return *std::ranges::max_element(claimants_.at(address), is_less) == uid;
}

bool PodStore::settle(const Uids& touched) {
  bool changed = false;
  for (const std::string& uid : touched) {
    Pod& pod = pods_.at(uid);
    std::vector<IpAddress> kept = reported_.at(uid);
    if (has_own_addresses(pod)) std::erase_if(kept, [&](const auto& address) { return !has(uid, address); });
    if (pod.deletion) lose_all_but(kept, uid);
    changed = changed || pod.addresses != kept;
    pod.addresses = std::move(kept);
  }
  return changed;
}

void PodStore::lose_all_but(const std::vector<IpAddress>& kept, const std::string& uid) {
  std::vector<IpAddress>& reported = reported_.at(uid);
  for (const IpAddress& address : reported) {
    if (std::ranges::find(kept, address) == kept.end()) drop_claim(address, uid);
  }
  reported = kept;
}

bool PodStore::remove(const std::string& uid) {
  const bool had_problem = problems_.erase(uid) > 0;
  Uids touched;
  unclaim(uid, touched);
  reported_.erase(uid);
  const bool had_pod = pods_.erase(uid) > 0;
  return settle(touched) || had_pod || had_problem;
}

bool PodStore::set_problem(const std::string& uid, std::string problem) {
  std::string& known = problems_[uid];
  if (known == problem) return false;
  known = std::move(problem);
  return true;
}

// An object without a uid may be any of the pods that the list did not name. Then all of them stay until the next list.
bool PodStore::listed() {
  bool changed = !is_listed_;
  if (!saw_unknown_) {
    Uids gone;
    for (const auto& [uid, pod] : pods_) {
      if (!seen_.contains(uid)) gone.insert(uid);
    }
    for (const auto& [uid, problem] : problems_) {
      if (!seen_.contains(uid)) gone.insert(uid);
    }
    for (const std::string& uid : gone) changed = remove(uid) || changed;
  }
  is_listed_ = true;
  lists_ = false;
  seen_.clear();
  return changed;
}

}  // namespace meshdns::discovery
