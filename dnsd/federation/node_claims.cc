#include "dnsd/federation/node_claims.h"

#include <utility>

namespace meshdns::federation {

void NodeClaims::put(const model::Node& node) {
  erase(node.key);
  Claimed claimed;
  for (const IpAddress& address : node.addresses) {
    if (addresses_.try_emplace(address, node.key).second) claimed.addresses.push_back(address);
  }
  for (const Prefix& prefix : node.prefixes) {
    if (prefixes_.try_emplace(prefix, node.key).second) claimed.prefixes.push_back(prefix);
  }
  if (!claimed.addresses.empty() || !claimed.prefixes.empty()) by_node_.emplace(node.key, std::move(claimed));
}

void NodeClaims::erase(const std::string& node) {
  const auto claimed = by_node_.extract(node);
  if (claimed.empty()) return;
  for (const IpAddress& address : claimed.mapped().addresses) addresses_.erase(address);
  for (const Prefix& prefix : claimed.mapped().prefixes) prefixes_.erase(prefix);
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
