#include "dnsd/federation/node_claims.h"

#include <algorithm>
#include <utility>

namespace meshdns::federation {
namespace {

template <class Place>
bool is_subset(const std::vector<Place>& part, const std::vector<Place>& whole) {
  return std::ranges::all_of(part, [&](const Place& each) { return std::ranges::find(whole, each) != whole.end(); });
}

}  // namespace

bool NodeClaims::put(const model::Node& node) {
  const auto before = by_node_.extract(node.key);
  if (!before.empty()) forget(before.mapped());
  Claimed claimed;
  for (const IpAddress& address : node.addresses) {
    if (addresses_.try_emplace(address, node.key).second) claimed.addresses.push_back(address);
  }
  for (const Prefix& prefix : node.prefixes) {
    if (prefixes_.try_emplace(prefix, node.key).second) claimed.prefixes.push_back(prefix);
  }
  const bool freed = !before.empty() && (!is_subset(before.mapped().addresses, claimed.addresses) ||
                                         !is_subset(before.mapped().prefixes, claimed.prefixes));
  if (!claimed.addresses.empty() || !claimed.prefixes.empty()) by_node_.emplace(node.key, std::move(claimed));
  return freed;
}

void NodeClaims::forget(const Claimed& claimed) {
  for (const IpAddress& address : claimed.addresses) addresses_.erase(address);
  for (const Prefix& prefix : claimed.prefixes) prefixes_.erase(prefix);
}

bool NodeClaims::erase(const std::string& node) {
  const auto claimed = by_node_.extract(node);
  if (!claimed.empty()) forget(claimed.mapped());
  return !claimed.empty();
}

bool NodeClaims::erase_if(const std::function<bool(const std::string& node)>& gone) {
  return std::erase_if(by_node_, [&](const auto& entry) {
           if (!gone(entry.first)) return false;
           forget(entry.second);
           return true;
         }) > 0;
}

bool NodeClaims::has(const std::string& node, const IpAddress& address) const {
  const auto found = addresses_.find(address);
  return found != addresses_.end() && found->second == node;
}

std::string NodeClaims::holder(const std::string& node, const IpAddress& address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() || found->second == node ? "" : found->second;
}

template <class Visit>
void NodeClaims::each_containing(const Prefix& prefix, Visit visit) const {
  // at most 129 lookups, however many nodes there are
  for (int length = 0; length <= prefix.length(); ++length) {
    const auto found = prefixes_.find(Prefix::of(prefix.address(), length));
    if (found != prefixes_.end()) visit(found->second);
  }
}

std::string NodeClaims::holder(const std::string& node, const Prefix& prefix) const {
  std::string out;
  const auto note = [&](const std::string& other) {
    if (other != node) out = other;
  };
  each_containing(prefix, note);
  // prefixes inside this one and addresses in it follow its first address, without a gap
  for (auto at = prefixes_.lower_bound(prefix); out.empty() && at != prefixes_.end(); ++at) {
    if (!prefix.contains(at->first)) break;
    note(at->second);
  }
  for (auto at = addresses_.lower_bound(prefix.address()); out.empty() && at != addresses_.end(); ++at) {
    if (!prefix.contains(at->first)) break;
    note(at->second);
  }
  return out;
}

std::set<std::string> NodeClaims::covering(const std::string& node, const IpAddress& address) const {
  std::set<std::string> out;
  each_containing(Prefix::host(address), [&](const std::string& other) {
    if (other != node) out.insert(other);
  });
  return out;
}

}  // namespace meshdns::federation
