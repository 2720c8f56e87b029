#include "dnsd/kubernetes/service_directory.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/text.h"
#include "common/kubernetes/place_name.h"

namespace meshdns::kubernetes {
namespace {

constexpr std::size_t kMostNamed = 3;  // objects in one note

std::string zone_place(const std::string& zone) { return "zone/" + zone; }

/// Returns the key of place_members_ for an entry of a slice.
std::string place_of(const SliceEndpoint& endpoint) {
  return is_on_node(endpoint) ? endpoint.node : zone_place(place_name(endpoint.zone));
}

std::string note_of(std::size_t count, std::string_view what, const std::vector<std::string>& names) {
  std::string out = fmt::format("{} ({}): {}", what, count, join(names, ", "));
  return count > names.size() ? out + ", ..." : out;
}

}  // namespace

ServiceDirectory::ServiceDirectory(std::string cluster)
    : cluster_(std::move(cluster)),
      services_(read_service, [this](const auto* before, const auto* now) { service_changed(before, now); }),
      slices_(read_slice, [this](const auto* before, const auto* now) { slice_changed(before, now); }),
      nodes_(read_node_place, [this](const auto* before, const auto* now) { node_changed(before, now); }),
      namespaces_(read_namespace, [this](const auto* before, const auto* now) { namespace_changed(before, now); }),
      exports_(read_service_export, [this](const auto* before, const auto* now) { export_changed(before, now); }) {}

void ServiceDirectory::take(Kind kind, const Notice& notice) {
  switch (kind) {
    case Kind::Services: return services_.take(notice);
    case Kind::Slices: return slices_.take(notice);
    case Kind::Nodes: return nodes_.take(notice);
    case Kind::Namespaces: return namespaces_.take(notice);
    case Kind::Exports: return exports_.take(notice);
  }
}

bool ServiceDirectory::complete() const {
  return services_.is_listed() && slices_.is_listed() && nodes_.is_listed() && namespaces_.is_listed() &&
         (told_ || !has_exports_ || exports_.is_listed());
}

bool ServiceDirectory::dirty() const {
  return complete() && (!told_ || !dirty_.empty() || !gone_nodes_.empty() || hosts_changed_);
}

// ---- what is dirty ----

void ServiceDirectory::service_changed(const Service* before, const Service* now) {
  const ObjectName name = now != nullptr ? now->name : before->name;
  Entry& entry = entries_[name];
  if (now != nullptr) {
    entry.service = now->uid;
  } else if (entry.service == before->uid) {
    entry.service.clear();
  }
  const Service* known = services_.find(entry.service);
  if (known != nullptr && known->is_external_name) {
    external_names_.insert(name);
  } else {
    external_names_.erase(name);
  }
  touch_service(name);
}

void ServiceDirectory::touch_service(const ObjectName& name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return;
  const Entry& entry = found->second;
  for (const std::string& uid : entry.slices) {
    const Slice* slice = slices_.find(uid);
    for (const SliceEndpoint& endpoint : slice->endpoints) dirty_.insert(member_id(*slice, endpoint));
  }
  drop_if_empty(name);
}

void ServiceDirectory::drop_if_empty(const ObjectName& name) {
  const Entry& entry = entries_.at(name);
  if (entry.service.empty() && entry.slices.empty() && entry.exports.empty()) entries_.erase(name);
}

void ServiceDirectory::slice_changed(const Slice* before, const Slice* now) {
  std::map<std::string, std::vector<const SliceEndpoint*>> old, next;
  if (before != nullptr) {
    for (const SliceEndpoint& endpoint : before->endpoints) old[member_id(*before, endpoint)].push_back(&endpoint);
    unlist(*before);
  }
  if (now != nullptr) {
    for (const SliceEndpoint& endpoint : now->endpoints) next[member_id(*now, endpoint)].push_back(&endpoint);
    list(*now);
  }
  const bool as_before =
      before != nullptr && now != nullptr && before->service == now->service && before->ports == now->ports;
  const auto same = [](const SliceEndpoint* a, const SliceEndpoint* b) { return *a == *b; };
  for (const auto& [id, entries] : next) {
    const auto known = old.find(id);
    const bool unchanged = as_before && known != old.end() && std::ranges::equal(known->second, entries, same);
    if (!unchanged) dirty_.insert(id);
  }
  for (const auto& [id, entries] : old) {
    if (!next.contains(id)) dirty_.insert(id);
  }
}

void ServiceDirectory::list(const Slice& slice) {
  if (slice.has_names) named_slices_.insert(slice.uid);
  if (slice.service.name.empty()) return;
  entries_[slice.service].slices.insert(slice.uid);
  for (const SliceEndpoint& endpoint : slice.endpoints) {
    const std::string id = member_id(slice, endpoint);
    Member& member = members_[id];
    if (member.slices.empty() && member.namespace_.empty()) member.namespace_ = slice.service.namespace_;
    member.slices.insert(slice.uid);
    ++place_members_[place_of(endpoint)][id];
  }
}

void ServiceDirectory::unlist(const Slice& slice) {
  named_slices_.erase(slice.uid);
  if (slice.service.name.empty()) return;
  entries_[slice.service].slices.erase(slice.uid);
  for (const SliceEndpoint& endpoint : slice.endpoints) {
    const std::string id = member_id(slice, endpoint);
    members_[id].slices.erase(slice.uid);
    const auto place = place_members_.find(place_of(endpoint));
    if (place == place_members_.end()) continue;
    if (--place->second[id] == 0) place->second.erase(id);
    if (place->second.empty()) place_members_.erase(place);
  }
  drop_if_empty(slice.service);
}

void ServiceDirectory::count_place(const NodePlace& node, bool comes) {
  if (node.zone.empty() || node.region.empty()) return;
  const std::string before = region_of(node.zone);
  std::size_t& nodes = zones_[node.zone][node.region];
  nodes = comes ? nodes + 1 : nodes - 1;
  if (nodes == 0) zones_[node.zone].erase(node.region);
  if (zones_[node.zone].empty()) zones_.erase(node.zone);
  if (region_of(node.zone) != before) touch_members_at(zone_place(node.zone));
}

void ServiceDirectory::touch_members_at(const std::string& place) {
  const auto found = place_members_.find(place);
  if (found == place_members_.end()) return;
  for (const auto& [id, entries] : found->second) dirty_.insert(id);
}

void ServiceDirectory::node_changed(const NodePlace* before, const NodePlace* now) {
  const std::string name = now != nullptr ? now->name : before->name;
  if (before != nullptr) count_place(*before, false);
  if (now != nullptr) {
    count_place(*now, true);
    node_uids_[name] = now->uid;
    gone_nodes_.erase(name);
  } else if (node_uids_[name] == before->uid) {
    node_uids_.erase(name);
    if (told_) gone_nodes_.insert(name);
  }
  touch_members_at(name);
}

void ServiceDirectory::namespace_changed(const Namespace* before, const Namespace* now) {
  const std::string name = now != nullptr ? now->name : before->name;
  if (now != nullptr) {
    namespace_uids_[name] = now->uid;
  } else if (namespace_uids_[name] == before->uid) {
    namespace_uids_.erase(name);
  }
  const auto uid = namespace_uids_.find(name);
  const Namespace* known = uid == namespace_uids_.end() ? nullptr : namespaces_.find(uid->second);
  set_hosts(name, known == nullptr ? "" : known->hosts);
  std::vector<ObjectName> services;
  for (auto at = entries_.lower_bound({name, ""}); at != entries_.end() && at->first.namespace_ == name; ++at) {
    services.push_back(at->first);
  }
  for (const ObjectName& service : services) touch_service(service);
}

void ServiceDirectory::set_hosts(const std::string& name, const std::string& hosts) {
  const auto found = hosts_.find(name);
  if (hosts == (found == hosts_.end() ? "" : found->second)) return;
  hosts_changed_ = true;
  if (hosts.empty()) {
    hosts_.erase(name);
  } else {
    hosts_[name] = hosts;
  }
}

void ServiceDirectory::export_changed(const ServiceExport* before, const ServiceExport* now) {
  const ObjectName name = now != nullptr ? now->name : before->name;
  if (now != nullptr) {
    entries_[name].exports.insert(now->uid);
  } else {
    entries_[name].exports.erase(before->uid);
  }
  touch_service(name);
}

// ---- the records of a member ----

bool ServiceDirectory::is_exported(const Service& service, const Entry& entry) const {
  if (!entry.exports.empty()) return true;
  if (service.exported) return *service.exported;
  const auto found = namespace_uids_.find(service.name.namespace_);
  const Namespace* of = found == namespace_uids_.end() ? nullptr : namespaces_.find(found->second);
  return of != nullptr && of->exported;
}

ServiceDirectory::Exported ServiceDirectory::exported_service(const ObjectName& name) const {
  const auto entry = entries_.find(name);
  const Service* service = entry == entries_.end() ? nullptr : services_.find(entry->second.service);
  if (service == nullptr) return Exported::NoService;
  return service->is_external_name ? Exported::ExternalName : Exported::Service;
}

const Service* ServiceDirectory::service_of(const Slice& slice) const {
  const auto entry = entries_.find(slice.service);
  const Service* service = entry == entries_.end() ? nullptr : services_.find(entry->second.service);
  return service == nullptr || service->is_external_name || !is_ldh_label(service->name.name) ? nullptr : service;
}

GatheredMember ServiceDirectory::gather(const std::string& id, const Member& member) const {
  GatheredMember out;
  for (const std::string& uid : member.slices) {
    const Slice* slice = slices_.find(uid);
    const Service* service = service_of(*slice);
    if (service == nullptr || slice->service.namespace_ != member.namespace_) continue;
    for (const SliceEndpoint& endpoint : slice->endpoints) {
      const bool is_this = endpoint.pod.empty() ? member_id(*slice, endpoint) == id : endpoint.pod == id;
      if (is_this) out.add(*slice, endpoint, *service, is_exported(*service, entries_.at(slice->service)));
    }
  }
  return out;
}

std::string ServiceDirectory::region_of(const std::string& zone) const {
  const auto found = zones_.find(zone);
  return found == zones_.end() || found->second.empty() ? "" : found->second.begin()->first;
}

std::optional<model::Node> ServiceDirectory::node_of(const GatheredMember& gathered) const {
  model::Node out;
  model::Locality& place = out.locality;
  place.cluster = cluster_;
  if (gathered.on_node) {
    const auto uid = node_uids_.find(gathered.node);
    const NodePlace* node = uid == node_uids_.end() ? nullptr : nodes_.find(uid->second);
    if (node == nullptr) return std::nullopt;
    place.node = node->name;
    place.region = node->region;
    place.zone = node->zone;
  } else {
    place.node = gathered.zone.empty() ? kWithoutNode : kWithoutNode + ("." + gathered.zone);
    place.region = region_of(gathered.zone);
    place.zone = gathered.zone;
  }
  out.key = cluster_ + "/" + place.node;
  return out;
}

std::optional<SliceRecord> ServiceDirectory::record_of(const std::string& id, Member& member,
                                                       const GatheredMember& gathered, TimePoint now) {
  if (gathered.memberships.empty()) return std::nullopt;
  auto node = node_of(gathered);
  if (!node) return std::nullopt;
  const model::HealthState state = gathered.state();
  if (std::exchange(member.state, state) != state || member.since == TimePoint{}) member.since = now;
  SliceRecord out{gathered.endpoint(id, node->key, member.since), *std::move(node)};
  memberships_.share(out.endpoint.memberships);
  return out;
}

void ServiceDirectory::settle_namespace(Member& member) const {
  const auto namespace_of = [this](const std::string& uid) { return slices_.find(uid)->service.namespace_; };
  const bool is_settled = std::ranges::any_of(
      member.slices, [&](const std::string& uid) { return namespace_of(uid) == member.namespace_; });
  if (!is_settled && !member.slices.empty()) member.namespace_ = namespace_of(*member.slices.begin());
}

void ServiceDirectory::tell(const std::string& id, Member& member, TimePoint now, DirectoryChanges& out) {
  settle_namespace(member);
  const GatheredMember gathered = gather(id, member);
  auto record = record_of(id, member, gathered, now);
  const bool in_services = is_pod(id) && !gathered.memberships.empty();
  if (in_services) {
    out.pods.emplace_back(id, PodServices{gathered.namespace_, gathered.node, gathered.services()});
  } else if (member.in_services) {
    out.pods.emplace_back(id, std::nullopt);
  }
  member.in_services = in_services;
  const std::string key = record ? record->endpoint.key : "";
  if (!member.key.empty() && member.key != key) out.endpoints.emplace_back(member.key, std::nullopt);
  member.key = key;
  if (record) out.endpoints.emplace_back(key, std::move(record));
}

DirectoryChanges ServiceDirectory::take_changes(TimePoint now) {
  DirectoryChanges out;
  if (!complete()) return out;
  out.first = !std::exchange(told_, true);
  for (const std::string& id : std::exchange(dirty_, {})) {
    const auto member = members_.find(id);
    if (member == members_.end()) continue;
    tell(id, member->second, now, out);
    if (member->second.slices.empty()) members_.erase(member);
  }
  out.gone_nodes.assign(gone_nodes_.begin(), gone_nodes_.end());
  gone_nodes_.clear();
  if (std::exchange(hosts_changed_, false)) out.hosts = hosts_;
  return out;
}

// ---- for the rim ----

std::vector<std::string> ServiceDirectory::problems() const {
  std::vector<std::string> out;
  const auto add = [&out](const auto& table) {
    for (const auto& [uid, problem] : table.problems()) out.push_back(problem);
  };
  add(services_);
  add(slices_);
  add(nodes_);
  add(namespaces_);
  add(exports_);
  return out;
}

std::uint64_t ServiceDirectory::problem_changes() const {
  return services_.problem_changes() + slices_.problem_changes() + nodes_.problem_changes() +
         namespaces_.problem_changes() + exports_.problem_changes();
}

std::vector<std::string> ServiceDirectory::notes() const {
  std::vector<std::string> out;
  std::vector<std::string> names;
  for (const ObjectName& name : external_names_) {
    if (names.size() < kMostNamed) names.push_back(name.text());
  }
  if (!names.empty()) {
    out.push_back(note_of(external_names_.size(), "Services of type ExternalName, which have no endpoints", names));
  }
  names.clear();
  for (const std::string& uid : named_slices_) {
    if (names.size() < kMostNamed) names.push_back(slices_.find(uid)->service.text());
  }
  if (!names.empty()) {
    out.push_back(note_of(named_slices_.size(), "EndpointSlices of type FQDN, whose names are not resolved", names));
  }
  return out;
}

}  // namespace meshdns::kubernetes
