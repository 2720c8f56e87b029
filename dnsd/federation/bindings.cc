#include "dnsd/federation/bindings.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/limits.h"
#include "dnsd/catalog/validate.h"

namespace meshdns::federation {
namespace {

constexpr std::string_view kPod = "/pod/";

/// Returns the uid of the pod that an endpoint is; empty = it is none.
std::string uid_of(const model::Endpoint& endpoint) {
  const std::string start = endpoint.node + std::string(kPod);
  if (!endpoint.key.starts_with(start)) return "";
  std::string uid = endpoint.key.substr(start.size());
  return uid.find('/') == std::string::npos ? uid : "";
}

std::string key_of(const std::string& node, const std::string& uid) { return node + std::string(kPod) + uid; }

/// Splits "cluster/name" of a node.
std::pair<std::string, std::string> parts_of(const std::string& node) {
  const auto slash = node.find('/');
  return {node.substr(0, slash), slash == std::string::npos ? "" : node.substr(slash + 1)};
}

/// Returns whether a record may hold the membership: the catalog must not refuse an agent's endpoint because of it.
bool is_usable(const model::Membership& membership) {
  model::Endpoint holder;
  holder.node = "c/n";
  holder.key = "c/n/pod";
  holder.namespace_ = "n";
  holder.addresses = {IpAddress::v4(0x0A000001)};
  holder.memberships = {membership};
  return !catalog::check(holder, Loopback::Refused);
}

}  // namespace

Bindings::Cluster& Bindings::cluster(const std::string& name) {
  const auto [at, is_new] = clusters_.try_emplace(ascii_lower(name));
  Cluster& out = at->second;
  if (!is_new) return out;
  for (const auto& [key, node] : catalog_.records().nodes) {
    if (!same_name(node.locality.cluster, name)) continue;
    for (const std::string& endpoint : catalog_.keys_of(key)) {
      const model::Endpoint& known = *catalog_.latest_endpoint(endpoint);
      if (const std::string uid = uid_of(known); !uid.empty()) note(out, uid, known.node);
    }
  }
  return out;
}

void Bindings::note(Cluster& cluster, const std::string& uid, const std::string& node) {
  const auto [begin, end] = cluster.nodes.equal_range(uid);
  if (std::any_of(begin, end, [&](const auto& entry) { return entry.second == node; })) return;
  cluster.nodes.emplace(uid, node);
}

void Bindings::tidy() {
  for (auto& [name, cluster] : clusters_) {
    if (cluster.nodes.size() < cluster.tidy_at) continue;
    std::erase_if(cluster.nodes, [this](const auto& entry) {
      return catalog_.latest_endpoint(key_of(entry.second, entry.first)) == nullptr;
    });
    cluster.tidy_at = std::max(kFewestTidied, 2 * cluster.nodes.size());
  }
}

model::Memberships Bindings::memberships(const Cluster& cluster, const std::string& uid,
                                         const model::Endpoint& endpoint) const {
  const auto found = cluster.bindings.find(uid);
  if (found == cluster.bindings.end()) {
    const model::Endpoint* known = cluster.listed ? nullptr : catalog_.latest_endpoint(endpoint.key);
    return known == nullptr ? model::Memberships() : known->memberships.get();
  }
  const Binding& binding = found->second;
  const bool is_here = binding.node.empty() || same_name(binding.node, parts_of(endpoint.node).second);
  return is_here && same_name(binding.namespace_, endpoint.namespace_) ? binding.memberships : model::Memberships();
}

void Bindings::join(model::Endpoint& endpoint) {
  const std::string uid = uid_of(endpoint);
  if (uid.empty()) return;
  const auto found = clusters_.find(ascii_lower(parts_of(endpoint.node).first));
  if (found != clusters_.end()) {
    note(found->second, uid, endpoint.node);
    endpoint.memberships = memberships(found->second, uid, endpoint);
  } else if (const model::Endpoint* known = catalog_.latest_endpoint(endpoint.key)) {
    endpoint.memberships = known->memberships;  // no watcher has said anything yet
  }
}

void Bindings::put(const std::string& cluster_name, const std::string& uid, Binding binding, TimePoint now) {
  Cluster& of = cluster(cluster_name);
  binding.memberships = usable(std::move(binding.memberships), uid, now);
  of.bindings.insert_or_assign(uid, std::move(binding));
  Changes changes;
  add_changes(of, uid, changes);
  apply(changes, now);
}

void Bindings::remove(const std::string& cluster_name, const std::string& uid, TimePoint now) {
  Cluster& of = cluster(cluster_name);
  of.bindings.erase(uid);
  Changes changes;
  add_changes(of, uid, changes);
  for (auto& [key, memberships] : changes) memberships.clear();  // also before listed(): this is no missing half
  apply(changes, now);
}

void Bindings::listed(const std::string& cluster_name, TimePoint now) {
  Cluster& of = cluster(cluster_name);
  of.listed = true;
  Changes changes;
  for (const auto& [uid, node] : of.nodes) {
    const model::Endpoint* known = catalog_.latest_endpoint(key_of(node, uid));
    if (known != nullptr) changes.emplace_back(known->key, memberships(of, uid, *known));
  }
  apply(changes, now);
}

void Bindings::add_changes(const Cluster& cluster, const std::string& uid, Changes& out) const {
  const auto [begin, end] = cluster.nodes.equal_range(uid);
  for (auto at = begin; at != end; ++at) {
    const model::Endpoint* known = catalog_.latest_endpoint(key_of(at->second, uid));
    if (known != nullptr) out.emplace_back(known->key, memberships(cluster, uid, *known));
  }
}

void Bindings::apply(const Changes& changes, TimePoint now) {
  const std::uint64_t before = catalog_.revision();
  for (const catalog::Refusal& refusal : catalog_.set_memberships(changes, now)) {
    note_left_out(refusal.key, 1, refusal_text(refusal), now);
  }
  if (catalog_.revision() != before) changed_();
}

model::Memberships Bindings::usable(std::vector<model::Membership> all, const std::string& uid, TimePoint now) {
  const std::size_t given = all.size();
  std::erase_if(all, [](const model::Membership& membership) { return !is_usable(membership); });
  std::ranges::stable_sort(all, {}, [](const model::Membership& each) { return ascii_lower(each.service); });
  std::size_t ports = 0;
  model::Memberships out;
  for (model::Membership& each : all) {
    const bool is_twin = !out.empty() && same_name(out.back().service, each.service);
    const bool fits =
        out.size() < model::kMostMemberships && ports + each.ports.size() <= model::kMostMembershipPorts;
    if (is_twin || !fits) continue;
    ports += each.ports.size();
    out.push_back(std::move(each));
  }
  if (out.size() < given) note_left_out("pod/" + uid, given - out.size(), "names, or more than a record holds", now);
  return out;
}

void Bindings::note_left_out(const std::string& of, std::size_t count, const std::string& reason, TimePoint now) {
  left_out_ += count;
  lines_.look(now);
  lines_.warn(now, "memberships left out", {{"endpoint", of}, {"memberships", count}, {"reason", reason}});
}

bool Bindings::is_listed(const std::string& cluster) const {
  const auto found = clusters_.find(ascii_lower(cluster));
  return found != clusters_.end() && found->second.listed;
}

std::size_t Bindings::size() const {
  std::size_t out = 0;
  for (const auto& [name, cluster] : clusters_) out += cluster.bindings.size();
  return out;
}

}  // namespace meshdns::federation
