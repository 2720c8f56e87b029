#include <fmt/format.h>
#include <google/protobuf/duration.pb.h>
#include <initializer_list>
#include <string_view>
#include <unordered_map>

#include "common/base/text.h"
#include "common/config/checks.h"
#include "common/time/duration_text.h"

namespace meshdns::config {
namespace {

using meshdns::v1::Object;
using meshdns::v1::VirtualDestinationSpec;

constexpr std::chrono::seconds kMostDistance = std::chrono::hours(24);

Duration duration_of(const google::protobuf::Duration& value) {
  return std::chrono::seconds(value.seconds()) + std::chrono::nanoseconds(value.nanos());
}

constexpr const char* kNeedsOne = "at least one is needed";

/// Reports empty lists. An empty list looks like "none", but protobuf cannot tell it from a list that is not given,
/// which means the default or everything.
void check_not_empty(const Place& place, std::initializer_list<std::string_view> names, Report& report) {
  for (const std::string_view name : names) {
    const YamlNode* list = place.node->find(name);
    if (list != nullptr && list->is(YamlNode::Kind::List) && list->children.empty()) {
      report.add(place.child(name), kNeedsOne);
    }
  }
}

/// Reports a TTL with fractions of a second: DNS has TTLs in whole seconds.
void check_whole_seconds(const Place& place, const google::protobuf::Duration& ttl, Report& report) {
  if (ttl.nanos() != 0 && ttl.seconds() > 0)
    report.add(place, fmt::format("expected whole seconds (got {})", duration_text(duration_of(ttl))));
}

void check_policy(const Place& place, const VirtualDestinationSpec::Policy& policy, Report& report) {
  check_not_empty(place, {"ladder"}, report);
  check_whole_seconds(place.child("ttl"), policy.ttl(), report);
  check_whole_seconds(place.child("ttlMin"), policy.ttl_min(), report);
  const Duration ttl = policy.has_ttl() ? duration_of(policy.ttl()) : Duration(5s);
  const Duration ttl_min = policy.has_ttl_min() ? duration_of(policy.ttl_min()) : Duration(1s);
  if (ttl_min <= ttl) return;
  report.add(place.child(policy.has_ttl_min() ? "ttlMin" : "ttl"),
             fmt::format("ttlMin ({}) is longer than ttl ({})", duration_text(ttl_min), duration_text(ttl)));
}

/// Reports an empty list of places, and places without any part.
template <class Locality>
void check_places(const Place& list, const google::protobuf::RepeatedPtrField<Locality>& places, Report& report) {
  if (places.empty()) report.add(list, kNeedsOne);
  for (int i = 0; i < places.size(); ++i) {
    const auto& to = places[i];
    const bool given = !to.network().empty() || !to.region().empty() || !to.zone().empty() || !to.subzone().empty() ||
                       !to.cluster().empty();
    if (!given) report.add(list.item(static_cast<std::size_t>(i)), "needs a part of a locality");
  }
}

void check_failover(const Place& list, const VirtualDestinationSpec::Policy& given, Report& report) {
  for (int i = 0; i < given.failover_size(); ++i) {
    const Place rule = list.item(static_cast<std::size_t>(i));
    if (rule.node->is(YamlNode::Kind::Map)) check_places(rule.child("to"), given.failover(i).to(), report);
  }
}

void check_fence(const Place& place, const VirtualDestinationSpec::Fence& fence, Report& report) {
  const bool given =
      !fence.within().empty() || !fence.regions().empty() || !fence.zones().empty() || !fence.clusters().empty();
  if (!given && place.node->children.empty()) report.add(place, "needs within, regions, zones or clusters");
  check_not_empty(place, {"regions", "zones", "clusters"}, report);
}

void check_groups(const Place& list, const VirtualDestinationSpec::Policy& given, Report& report) {
  for (int i = 0; i < given.priority_groups_size(); ++i) {
    if (!given.priority_groups(i).match_labels().empty()) continue;
    const Place group = list.item(static_cast<std::size_t>(i));
    if (group.node->is(YamlNode::Kind::Map)) report.add(group.child("matchLabels"), kNeedsOne);
  }
}

void check_order(const Place& policy, const VirtualDestinationSpec::Policy& given, Report& report) {
  const int ways =
      int{!given.failover().empty()} + int{!given.priority_groups().empty()} + int{!given.distribute().empty()};
  if (ways > 1) report.add(policy, "only one of failover, priorityGroups and distribute");
  const Place distribute = policy.child("distribute");
  for (int i = 0; i < given.distribute_size(); ++i) {
    std::uint64_t sum = 0;
    for (const auto& share : given.distribute(i).to()) sum += share.percent();
    const Place rule = distribute.item(static_cast<std::size_t>(i));
    if (!rule.node->is(YamlNode::Kind::Map)) continue;
    const Place to = rule.child("to");
    check_places(to, given.distribute(i).to(), report);
    if (sum != 100 && !given.distribute(i).to().empty())
      report.add(to, fmt::format("the percents sum to {}, not to 100", sum));
  }
  if (given.has_fence()) check_fence(policy.child("fence"), given.fence(), report);
  check_failover(policy.child("failover"), given, report);
  check_groups(policy.child("priorityGroups"), given, report);
}

void check_selectors(const Place& list, const VirtualDestinationSpec& spec, Report& report) {
  for (int i = 0; i < spec.services_size(); ++i) {
    const Place service = list.item(static_cast<std::size_t>(i));
    check_not_empty(service, {"clusters"}, report);
    const Place expressions = service.child("matchExpressions");
    for (int k = 0; k < spec.services(i).match_expressions_size(); ++k) {
      const auto& given = spec.services(i).match_expressions(k);
      const bool lists = given.operator_() == "In" || given.operator_() == "NotIn";
      const bool known = lists || given.operator_() == "Exists" || given.operator_() == "DoesNotExist";
      if (!known || lists != given.values().empty()) continue;
      const Place expression = expressions.item(static_cast<std::size_t>(k));
      report.add(expression.child("values"),
                 fmt::format("{} {}", given.operator_(), lists ? "needs at least one" : "takes none"));
    }
  }
}

void check_external(const Place& list, const VirtualDestinationSpec& spec, Report& report) {
  for (int i = 0; i < spec.external_endpoints_size(); ++i) {
    const auto& external = spec.external_endpoints(i);
    if (external.hostname().empty() != external.address().empty()) continue;
    report.add(list.item(static_cast<std::size_t>(i)), "needs a hostname or an address, not both");
  }
}

void check_destination(const Place& root, const Object& object, Report& report) {
  const Place meta = root.child("metadata");
  if (meta.node->is(YamlNode::Kind::Map) && object.metadata().namespace_().empty())
    report.add(meta, "namespace is missing");
  const Place spec = root.child("spec");
  const Place policy = spec.child("policy");
  check_policy(policy, object.virtual_destination().policy(), report);
  check_order(policy, object.virtual_destination().policy(), report);
  check_selectors(spec.child("services"), object.virtual_destination(), report);
  check_external(spec.child("externalEndpoints"), object.virtual_destination(), report);
}

void check_cluster(const Place& root, const Object& object, Report& report) {
  const Place meta = root.child("metadata");
  const std::string& name = object.metadata().name();
  if (!object.metadata().namespace_().empty()) report.add(meta.child("namespace"), "a Cluster has no namespace");
  if (name.find('.') != std::string::npos) {
    report.add(meta.child("name"), fmt::format("a cluster's name has no dots (got {})", shown(name)));
  }
  const Place spec = root.child("spec");
  const Place locality = spec.child("locality");
  check_not_empty(spec, {"allowedPrefixes"}, report);
  const auto& cluster = object.cluster();
  const Place agents = spec.child("agents");
  for (int i = 0; i < cluster.agents_size(); ++i) {
    // an empty list would mean all, while an operator who writes [] means none
    check_not_empty(agents.item(static_cast<std::size_t>(i)), {"namespaces", "services"}, report);
  }
  if (!cluster.locality().cluster().empty() && cluster.locality().cluster() != name) {
    report.add(locality.child("cluster"), fmt::format("differs from the object's name {}", shown(name)));
  }
  if (!cluster.network().empty() && !cluster.locality().network().empty() &&
      cluster.network() != cluster.locality().network()) {
    report.add(spec.child("network"),
               fmt::format("differs from spec.locality.network {}", cluster.locality().network()));
  }
  const Place distances = spec.child("distances");
  for (const auto& [other, distance] : cluster.distances()) {
    if (!is_ldh_label(other)) report.add(distances.child(other), "expected a cluster's name as the key");
    if (distance.seconds() > kMostDistance.count()) report.add(distances.child(other), "expected at most 1d");
  }
}

void check_override(const Place& root, const Object& object, Report& report) {
  const Place meta = root.child("metadata");
  if (!object.metadata().namespace_().empty()) report.add(meta.child("namespace"), "an Override has no namespace");
  const auto& given = object.override();
  const auto& target = given.target();
  int targets = 0;
  for (const auto* name : {&target.endpoint(), &target.node(), &target.service(), &target.zone(), &target.cluster()}) {
    targets += int{!name->empty()};
  }
  const Place spec = root.child("spec");
  if (given.action() == "Freeze" && targets > 0) report.add(spec.child("target"), "a Freeze has none: it is for all");
  if (given.action() != "Freeze" && targets != 1) {
    report.add(spec, "target needs exactly one of endpoint, node, service, zone and cluster");
  }
  if (!target.service().empty() && target.service().find('/') == std::string::npos) {
    const Place place = spec.child("target");
    report.add(place.child("service"), fmt::format("expected namespace/service (got {})", target.service()));
  }
}

void check_node(const Place& place, const v1::MeshNode& node, Report& report) {
  check_own_locality(place, node.locality(), report);
  const Place endpoints = place.child("endpoints");
  for (int i = 0; i < node.endpoints_size(); ++i) {
    if (!node.endpoints(i).address().empty() || !node.addresses().empty()) continue;
    report.add(endpoints.item(static_cast<std::size_t>(i)), "needs an address: its node has none");
  }
}

/// Returns the object's name for an error message: "VirtualDestination shop/app-b".
std::string object_name(const Object& object) {
  const auto& meta = object.metadata();
  const std::string space = meta.namespace_().empty() ? "" : meta.namespace_() + "/";
  return fmt::format("{} {}{}", shown(object.kind()), space, meta.name());
}

/// Reports objects that are given twice; remembers the line of each object's first occurrence.
class FirstLines {
 public:
  explicit FirstLines(Report& report) : report_(report) {}
  void note(const Object& object, const Place& place) {
    if (!object.kind().empty() && !object.metadata().name().empty()) note(object_name(object), place);
  }
  void note(const std::string& key, const Place& place) {
    const auto [first, is_new] = lines_.try_emplace(ascii_lower(key), place.node->line);
    if (!is_new) report_.add(place, fmt::format("{} is {}", key, given_twice(first->second)));
  }

 private:
  Report& report_;
  std::unordered_map<std::string, int> lines_;
};

void check_object(const Place& root, const Object& object, Report& report) {
  if (object.has_virtual_destination()) check_destination(root, object, report);
  if (object.has_cluster()) check_cluster(root, object, report);
  if (object.has_override()) check_override(root, object, report);
}

}  // namespace

void check_mesh(const Place& root, const v1::MeshFile& file, Report& report) {
  FirstLines lines(report);
  const Place nodes = root.child("nodes");
  for (int i = 0; i < file.nodes_size(); ++i) {
    const Place node = nodes.item(static_cast<std::size_t>(i));
    lines.note(fmt::format("node {}/{}", shown(file.nodes(i).cluster()), shown(file.nodes(i).name())), node);
    check_node(node, file.nodes(i), report);
  }
  const Place objects = root.child("objects");
  for (int i = 0; i < file.objects_size(); ++i) {
    const Place object = objects.item(static_cast<std::size_t>(i));
    lines.note(file.objects(i), object);
    check_object(object, file.objects(i), report);
  }
}

void check_objects(const std::vector<Place>& roots, const std::vector<Object>& objects, Report& report) {
  FirstLines lines(report);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    lines.note(objects[i], roots[i]);
    check_object(roots[i], objects[i], report);
  }
}

}  // namespace meshdns::config
