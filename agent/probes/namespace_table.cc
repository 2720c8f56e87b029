#include "agent/probes/namespace_table.h"

#include <algorithm>
#include <utility>

namespace meshdns::probes {

std::vector<NamespaceId> NamespaceTable::want(std::set<IpAddress> addresses) {
  const auto before = std::exchange(wanted_, std::move(addresses));
  std::vector<NamespaceId> out;
  std::erase_if(own_, [&](const IpAddress& address) { return !wanted_.contains(address); });
  for (auto& [id, found] : found_) {
    std::erase_if(found, [&](const IpAddress& address) { return !wanted_.contains(address); });
    if (found.empty()) out.push_back(id);
  }
  for (const NamespaceId id : out) found_.erase(id);
  index();
  const bool more = std::ranges::any_of(
      wanted_, [&](const IpAddress& address) { return !before.contains(address) && is_missing(address); });
  due_ = due_ || more;
  return out;
}

std::vector<NamespaceTable::Seen> NamespaceTable::take(std::set<IpAddress> own, const std::vector<Seen>& seen) {
  const std::size_t missed = missing();
  own_ = std::move(own);
  auto before = std::exchange(found_, {});
  for (const Seen& one : seen) {
    std::set<IpAddress> addresses;
    for (const IpAddress& address : one.addresses) {
      // wanted() may have changed since the look began
      if (wanted_.contains(address) && !own_.contains(address)) addresses.insert(address);
    }
    if (!addresses.empty()) found_[one.id] = std::move(addresses);
  }
  std::vector<Seen> ended;
  for (auto& [id, addresses] : before) {
    if (!found_.contains(id)) ended.push_back({id, std::move(addresses)});
  }
  index();
  const bool news = !ended.empty() || missing() < missed;
  wait_ = news ? kFirstWait : std::min(2 * wait_, kLongestWait);
  return ended;
}

Duration NamespaceTable::wait() const {
  if (due_) return Duration::zero();
  return missing() == 0 ? Duration::max() : wait_;
}

std::set<IpAddress> NamespaceTable::addresses_of(NamespaceId id) const {
  const auto found = found_.find(id);
  return found == found_.end() ? std::set<IpAddress>() : found->second;
}

std::size_t NamespaceTable::missing() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(wanted_, [&](const IpAddress& address) { return is_missing(address); }));
}

bool NamespaceTable::is_missing(const IpAddress& address) const {
  // loopback is in every namespace; an endpoint there is one of the agent's own
  if (address.is_loopback() || own_.contains(address)) return false;
  return !in_found_.contains(address);
}

void NamespaceTable::index() {
  in_found_.clear();
  for (const auto& [id, addresses] : found_) in_found_.insert(addresses.begin(), addresses.end());
}

}  // namespace meshdns::probes
