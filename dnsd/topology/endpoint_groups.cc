#include "dnsd/topology/endpoint_groups.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/model/memberships.h"
#include "dnsd/topology/plan.h"

namespace meshdns::topology {
namespace {

// Names of namespaces and services ignore case, so their groups do too; label names and values are exact.
std::string service_group(const std::string& ns, const std::string& service) {
  return ascii_lower("service " + ns + " " + service);
}
std::string label_group(const std::string& ns, const std::string& name, const std::string& value) {
  return "label " + ascii_lower(ns) + " " + name + " " + value;
}
std::string namespace_group(const std::string& ns) { return ascii_lower("namespace " + ns); }

/// Returns the name of the narrowest group that holds everything the selector can match.
std::string group_of(const model::ServiceSelector& selector, const std::string& own_namespace) {
  const std::string& ns = selector.namespace_.empty() ? own_namespace : selector.namespace_;
  if (!selector.name.empty()) return service_group(ns, selector.name);
  if (selector.match_labels.empty()) return namespace_group(ns);
  const auto& [name, value] = *selector.match_labels.begin();
  return label_group(ns, name, value);
}

void sort_by_key(std::vector<const model::Endpoint*>& endpoints) {
  std::ranges::sort(endpoints, {}, [](const model::Endpoint* endpoint) -> const std::string& { return endpoint->key; });
}

}  // namespace

void EndpointGroups::Group::add(const model::Endpoint* endpoint) {
  // an endpoint that left and came back, or a new one at the same memory address, is still in the list
  if (gone_.erase(endpoint) == 0) members_.push_back(endpoint);
}

const EndpointGroups::Endpoints& EndpointGroups::Group::members() const {
  if (!gone_.empty()) {
    std::erase_if(members_, [this](const model::Endpoint* member) { return gone_.contains(member); });
    gone_.clear();
  }
  return members_;
}

template <class Self, class Visit>
void EndpointGroups::visit_groups(Self& self, const model::Endpoint& endpoint, Visit visit) {
  const auto look = [&](const std::string& name) {
    if (const auto found = self.groups_.find(name); found != self.groups_.end()) visit(found->second);
  };
  model::for_each_service(endpoint,
                          [&](const std::string& service) { look(service_group(endpoint.namespace_, service)); });
  if (!self.more_than_services_) return;
  for (const auto& [name, value] : endpoint.labels) look(label_group(endpoint.namespace_, name, value));
  look(namespace_group(endpoint.namespace_));
}

void EndpointGroups::add(const model::Endpoint& endpoint) {
  model::for_each_service(endpoint, [&](const std::string& service) {
    groups_.try_emplace(service_group(endpoint.namespace_, service));  // other groups are made where needed
  });
  visit_groups(*this, endpoint, [&](Group& group) {
    if (group.filled) group.add(&endpoint);
  });
}

void EndpointGroups::remove(const model::Endpoint& endpoint) {
  visit_groups(*this, endpoint, [&](Group& group) {
    if (group.filled) group.remove(&endpoint);
  });
  model::for_each_service(endpoint, [&](const std::string& service) {
    const auto group = groups_.find(service_group(endpoint.namespace_, service));
    if (group->second.size() == 0 && group->second.objects.empty()) groups_.erase(group);
  });
}

void EndpointGroups::rebuild() {
  for (auto& [name, group] : groups_) group.objects.clear();
  more_than_services_ = false;
  bool fill = false;
  for (const auto& [key, object] : records_.destinations) {
    for (const model::ServiceSelector& selector : object.services) {
      const auto [at, added] = groups_.try_emplace(group_of(selector, object.meta.namespace_));
      at->second.objects.insert(key);
      // a new group of a service is complete: had the service endpoints, its group would exist
      if (added && selector.name.empty()) at->second.filled = false;
      more_than_services_ = more_than_services_ || selector.name.empty();
      fill = fill || !at->second.filled;
    }
  }
  std::erase_if(groups_, [](const auto& entry) {
    const bool needed = entry.first.starts_with("service ") && entry.second.size() > 0;
    return entry.second.objects.empty() && !needed;
  });
  if (!fill) return;
  for (const auto& [key, endpoint] : records_.endpoints) {
    visit_groups(*this, endpoint, [&entry = endpoint](Group& group) {
      if (!group.filled) group.add(&entry);
    });
  }
  for (auto& [name, group] : groups_) group.filled = true;
}

std::vector<const model::VirtualDestination*> EndpointGroups::objects_of(const model::Endpoint& endpoint) const {
  std::vector<const model::VirtualDestination*> out;
  visit_groups(*this, endpoint, [&](const Group& group) {
    for (const std::string& key : group.objects) {
      const auto object = records_.destinations.find(key);
      if (object == records_.destinations.end()) continue;
      const bool matches = std::ranges::any_of(object->second.services, [&](const model::ServiceSelector& selector) {
        return selects(selector, object->second.meta.namespace_, endpoint);
      });
      if (matches) out.push_back(&object->second);
    }
  });
  return out;
}

void EndpointGroups::add_matches(const model::ServiceSelector& selector, const std::string& own_namespace,
                                 Endpoints& out) const {
  const auto look_at = [&](const model::Endpoint& endpoint) {
    if (!selects(selector, own_namespace, endpoint)) return;
    const auto node = records_.nodes.find(endpoint.node);
    if (selects_cluster(selector, node == records_.nodes.end() ? "" : node->second.locality.cluster)) {
      out.push_back(&endpoint);
    }
  };
  const auto group = groups_.find(group_of(selector, own_namespace));
  if (group != groups_.end()) {
    for (const model::Endpoint* endpoint : group->second.members()) look_at(*endpoint);
  } else if (selector.name.empty()) {  // no object has needed this group so far
    for (const auto& [key, endpoint] : records_.endpoints) look_at(endpoint);
  }
}

EndpointGroups::Endpoints EndpointGroups::of_service(const model::ServiceKey& service) const {
  Endpoints out;
  const auto group = groups_.find(service_group(service.namespace_, service.name));
  if (group != groups_.end()) out = group->second.members();
  sort_by_key(out);
  return out;
}

EndpointGroups::Endpoints EndpointGroups::of_selector(const model::ServiceSelector& selector,
                                                      const std::string& own_namespace) const {
  Endpoints out;
  add_matches(selector, own_namespace, out);
  sort_by_key(out);
  return out;
}

EndpointGroups::Endpoints EndpointGroups::of_object(const model::VirtualDestination& object) const {
  Endpoints out;
  for (const model::ServiceSelector& selector : object.services) add_matches(selector, object.meta.namespace_, out);
  sort_by_key(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());  // two selectors may match one endpoint
  return out;
}

std::size_t EndpointGroups::size_of(const std::string& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second.size();
}

std::size_t EndpointGroups::most_of_service(const model::ServiceKey& service) const {
  return size_of(service_group(service.namespace_, service.name));
}

std::size_t EndpointGroups::most_of_object(const model::VirtualDestination& object) const {
  std::size_t out = object.external_endpoints.size();
  for (const model::ServiceSelector& selector : object.services) {
    out += size_of(group_of(selector, object.meta.namespace_));
  }
  return out;
}

}  // namespace meshdns::topology
