#include "dnsd/topology/lint.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <tuple>

#include "common/base/hint.h"
#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/limits.h"
#include "common/model/memberships.h"
#include "dnsd/topology/lint_exports.h"
#include "dnsd/topology/lint_hosts.h"
#include "dnsd/topology/lint_policy.h"
#include "dnsd/topology/matching.h"

namespace meshdns::topology {
namespace {

using Findings = std::vector<Finding>;
using model::Part;

std::string meant(const std::string& word, const std::vector<std::string>& known) {
  return hint(did_you_mean(word, known), "\"\"");
}

/// Returns "region eu is also written EU: ...".
std::string written_twice(const std::string& what, const std::vector<std::string>& others) {
  return what + " is also written " + join(others, ", ") + ": names that differ only in the case of letters are one";
}

/// Finds services that are reported in several spellings.
void lint_service_names(const std::vector<const model::Endpoint*>& matched, const std::string& path, Findings& out) {
  std::map<std::string, std::set<std::string>, NameLess> names;
  for (const model::Endpoint* endpoint : matched) {
    model::for_each_service(*endpoint, [&](const std::string& service) {
      const std::string name = endpoint->namespace_ + "/" + service;
      names[name].insert(name);
    });
  }
  for (const auto& [name, spellings] : names) {
    if (spellings.size() < 2) continue;
    const std::vector<std::string> others(std::next(spellings.begin()), spellings.end());
    out.push_back({path, Severity::Advice, written_twice("service " + *spellings.begin(), others)});
  }
}

/// Finds localities of endpoints that are written in several spellings.
void lint_spellings(const LintScene& scene, const HostPlan& host, Findings& out) {
  std::set<std::string> told;
  for (const Candidate& candidate : host.candidates) {
    for (const Part part : model::kParts) {
      const std::string& name = candidate.locality.part(part);
      auto spelling = part == Part::Node ? "" : scene.names.spelling_of(part, name);
      if (spelling.empty() || !told.insert(ascii_lower(std::string(part_name(part)) + " " + name)).second) continue;
      out.push_back({"spec.services", Severity::Advice, std::move(spelling)});
    }
  }
}

/// Looks at the object's selectors.
/// returns: all endpoints that they match, by key, each once
std::vector<const model::Endpoint*> lint_services(const LintScene& scene, const model::VirtualDestination& object,
                                                  Findings& out) {
  std::vector<const model::Endpoint*> all;
  for (std::size_t i = 0; i < object.services.size(); ++i) {
    const model::ServiceSelector& selector = object.services[i];
    const std::string path = indexed("spec.services", i);
    for (std::size_t k = 0; k < selector.clusters.size(); ++k) {
      lint_name(scene, Part::Cluster, selector.clusters[k], indexed(path + ".clusters", k), out);
    }
    const auto matched = scene.planner.endpoints_of(selector, object.meta.namespace_);
    if (matched.empty()) out.push_back({path, Severity::Warning, "it matches no endpoint"});
    lint_service_names(matched, path, out);
    lint_exports(scene, object, matched, path, out);
    all.insert(all.end(), matched.begin(), matched.end());
  }
  std::ranges::sort(all, {}, [](const model::Endpoint* endpoint) -> const std::string& { return endpoint->key; });
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

/// The ports of endpoints, for one protocol.
struct KnownPorts {
  std::set<std::string> names;
  std::set<std::uint16_t> numbers;
  std::set<std::string> shown;  // "http (8080)"
};

std::map<std::string, KnownPorts> known_ports(const std::vector<const model::Endpoint*>& endpoints) {
  std::map<std::string, KnownPorts> out;
  // most endpoints have equal ports: each is formatted once
  std::set<std::tuple<std::string_view, std::string_view, std::uint16_t>> seen;
  for (const model::Endpoint* endpoint : endpoints) {
    model::for_each_port(*endpoint, [&](const model::Port& port) {
      if (!seen.emplace(port.protocol, port.name, port.number).second) return;
      KnownPorts& known = out[port.protocol];
      const std::string number = std::to_string(port.number);
      known.names.insert(port.name);
      known.numbers.insert(port.number);
      known.shown.insert(port.name.empty() ? number : port.name + " (" + number + ")");
    });
  }
  return out;
}

/// Finds mapped ports that no endpoint has: their SRV records would have no targets.
void lint_ports(const model::VirtualDestination& object, const std::vector<const model::Endpoint*>& endpoints,
                Findings& out) {
  if (endpoints.empty() || object.ports.empty()) return;
  std::map<std::string, KnownPorts> all = known_ports(endpoints);
  for (std::size_t i = 0; i < object.ports.size(); ++i) {
    const model::PortMapping& port = object.ports[i];
    const std::string target = port.target_port.empty() ? std::to_string(port.number) : port.target_port;
    const KnownPorts& known = all[port.protocol];
    const auto number = parse_uint(target);
    if (known.names.contains(port.target_port)) continue;
    if (number && *number <= std::numeric_limits<std::uint16_t>::max() &&
        known.numbers.contains(static_cast<std::uint16_t>(*number)))
      continue;
    const std::string path = indexed("spec.ports", i) + (port.target_port.empty() ? ".number" : ".targetPort");
    out.push_back(
        {path, Severity::Warning,
         "no endpoint has a " + port.protocol + " port " + target +
             (known.shown.empty() ? "" : "; they have " + join({known.shown.begin(), known.shown.end()}, ", "))});
  }
}

void lint_externals(const LintScene& scene, const model::VirtualDestination& object, Findings& out) {
  for (std::size_t i = 0; i < object.external_endpoints.size(); ++i) {
    const auto& external = object.external_endpoints[i];
    const bool apex = std::ranges::find(scene.zones, external.hostname) != scene.zones.end();
    if (!apex && zone_of(scene.zones, external.hostname).empty()) continue;
    out.push_back({indexed("spec.externalEndpoints", i) + ".hostname", Severity::Warning,
                   external.hostname + " is inside the server's own zones: it would be asked about itself"});
  }
}

// With more endpoints, no similar key is looked for: it would take longer than an answer may.
constexpr std::size_t kMostGuessedKeys = 10000;

bool has_endpoints(const model::Records& records, const std::string& node) {
  const std::string prefix = node + "/";
  const auto first = records.endpoints.lower_bound(prefix);
  return first != records.endpoints.end() && first->first.starts_with(prefix);
}

/// Returns all names that targets of this kind may have: those with some endpoint.
std::vector<std::string> names_for(const model::Records& records, model::TargetKind kind) {
  std::set<std::string> out;
  if (kind == model::TargetKind::Endpoint) {
    if (records.endpoints.size() > kMostGuessedKeys) return {};
    for (const auto& [key, endpoint] : records.endpoints) out.insert(key);
  } else if (kind == model::TargetKind::Service) {
    for (const auto& [key, service] : records.services) {
      if (service.endpoints > 0) out.insert(key.namespace_ + "/" + key.name);
    }
  } else {
    for (const auto& [key, node] : records.nodes) {
      if (!has_endpoints(records, key)) continue;
      const model::Locality place = locality_of(records, key);
      if (kind == model::TargetKind::Node) out.insert({key, place.node});
      if (kind == model::TargetKind::Zone) out.insert({place.zone, place.region + "/" + place.zone});
      if (kind == model::TargetKind::Cluster) out.insert(place.cluster);
    }
  }
  out.erase("");
  return {out.begin(), out.end()};
}

/// Returns whether a target of kind Node, Zone or Cluster means a place.
/// node: its key; empty = no node is there
bool hits_place(const model::OverrideTarget& target, const std::string& node, const model::Locality& place) {
  static const std::string kNothing;
  static const std::vector<IpAddress> kNowhere;
  return hits(target, {kNothing, node, kNothing, kNothing, place, kNowhere});
}

/// Returns whether some endpoint belongs to the target.
/// requires: the target is not of kind Endpoint
bool is_known(const model::Records& records, const model::OverrideTarget& target) {
  if (target.kind == model::TargetKind::Service) {
    const auto slash = target.name.find('/');
    if (slash == std::string::npos) return false;
    return std::ranges::any_of(records.services, [&](const auto& entry) {
      return entry.second.endpoints > 0 && same_name(entry.first.namespace_, target.name.substr(0, slash)) &&
             same_name(entry.first.name, target.name.substr(slash + 1));
    });
  }
  if (target.kind == model::TargetKind::Node && has_endpoints(records, target.name)) return true;
  return std::ranges::any_of(records.nodes, [&](const auto& entry) {
    const model::Locality place = locality_of(records, entry.first);
    return hits_place(target, entry.first, place) && has_endpoints(records, entry.first);
  });
}

bool is_endpoint(const model::Records& records, const model::OverrideTarget& target) {
  if (records.endpoints.contains(target.name)) return true;
  const EndpointTarget addressed(target.name);
  return std::ranges::any_of(records.endpoints, [&](const auto& entry) { return addressed.hits(entry.second); });
}

bool is_external(const model::Records& records, const model::OverrideTarget& target) {
  const bool by_place = target.kind == model::TargetKind::Zone || target.kind == model::TargetKind::Cluster;
  return std::ranges::any_of(records.destinations, [&](const auto& entry) {
    return std::ranges::any_of(entry.second.external_endpoints, [&](const auto& external) {
      if (by_place) return hits_place(target, "", external.locality);
      return target.kind == model::TargetKind::Endpoint;  // its addresses may come from a hostname
    });
  });
}

}  // namespace

KnownNames::KnownNames(const model::Records& records) {
  for (const auto& [key, node] : records.nodes) add(records, node);
  for (const auto& [name, cluster] : records.clusters) add(cluster);
  for (const auto& [key, object] : records.destinations) add(object);
}

void KnownNames::add(const model::Records& records, const model::Node& node) {
  add(locality_of(records, node.key));
  clusters_of_nodes_.insert(node.locality.cluster);
  note_prefixes(node.prefixes);
}

void KnownNames::add(const model::VirtualDestination& object) {
  for (const auto& external : object.external_endpoints) add(external.locality);
}

void KnownNames::add(const model::Cluster& cluster) {
  model::Locality place = cluster.locality;
  place.cluster = cluster.meta.name;
  add(place);
  note_prefixes(cluster.client_prefixes);
}

void KnownNames::note_prefixes(const std::vector<Prefix>& prefixes) {
  wide_prefixes_ = wide_prefixes_ || std::ranges::any_of(prefixes, [](const Prefix& prefix) {
                     return prefix.length() < prefix.address().bits();
                   });
}

void KnownNames::add(const model::Locality& place) {
  for (const Part part : model::kParts) {
    const std::string& name = place.part(part);
    if (!name.empty()) names_[static_cast<std::size_t>(part)][name].insert(name);
  }
}

std::string KnownNames::problem_of(Part part, const std::string& name) const {
  const Spellings& known = names_[static_cast<std::size_t>(part)];
  if (name.empty() || known.empty() || known.contains(name)) return "";
  std::vector<std::string> names;
  for (const auto& [other, spellings] : known) names.push_back(other);
  return "nothing is in " + std::string(part_name(part)) + " " + name + meant(name, names);
}

std::string KnownNames::spelling_of(Part part, const std::string& name) const {
  const Spellings& known = names_[static_cast<std::size_t>(part)];
  const auto found = known.find(name);
  if (found == known.end()) return "";
  std::vector<std::string> others;
  for (const std::string& spelling : found->second) {
    if (spelling != name) others.push_back(spelling);
  }
  return others.empty() ? "" : written_twice(std::string(part_name(part)) + " " + name, others);
}

std::vector<std::string> port_advice(const HostPlan& host) {
  std::vector<std::string> out;
  if (!host.refused_ports.empty()) {
    constexpr std::ptrdiff_t kMostShown = 5;
    std::vector<std::string> shown(host.refused_ports.begin(),
                                   host.refused_ports.begin() + std::min(kMostShown, std::ssize(host.refused_ports)));
    if (host.refused_ports.size() > shown.size()) shown.push_back("...");
    out.push_back(counted(host.refused_ports.size(), "port name") + " beyond the " + std::to_string(model::kMostPorts) +
                  " that a host may have: not answered: " + join(shown, ", "));
  }
  for (std::size_t i = 0; i < host.ports.size(); ++i) {
    const HostPort& port = host.ports[i];
    if (port.number == 0) continue;
    std::size_t others = 0;
    std::size_t mapped = 0;
    std::set<std::uint16_t> numbers;
    for (const Candidate& candidate : host.candidates) {
      if (candidate.ports[i] == 0 || candidate.ports[i] == port.number) continue;
      const bool is_mapped = !candidate.mapped.empty() && candidate.mapped[i];
      ++(is_mapped ? mapped : others);
      if (!is_mapped) numbers.insert(candidate.ports[i]);
    }
    if (mapped > 0) {
      out.push_back("port " + std::to_string(port.number) + " is mapped by the node for " + std::to_string(mapped) +
                    " of " + counted(host.candidates.size(), "endpoint"));
    }
    if (others == 0) continue;
    out.push_back("A and AAAA carry no port: " + std::to_string(others) + " of " +
                  std::to_string(host.candidates.size()) + " endpoints listen on " + std::to_string(*numbers.begin()) +
                  (numbers.size() > 1 ? " or others" : "") + ", not on " + std::to_string(port.number) +
                  "; SRV and SVCB tell it");
  }
  return out;
}

std::string missed(const model::Records& records, const model::OverrideTarget& target) {
  const bool by_endpoint = target.kind == model::TargetKind::Endpoint;
  const bool found = by_endpoint ? is_endpoint(records, target) : is_known(records, target);
  return found ? "" : nobody_in(records, target);
}

std::uint32_t count_hits(const model::Records& records, const model::OverrideTarget& target) {
  if (target.kind == model::TargetKind::Endpoint) {
    if (records.endpoints.contains(target.name)) return 1;
    const EndpointTarget addressed(target.name);
    return static_cast<std::uint32_t>(
        std::ranges::count_if(records.endpoints, [&](const auto& entry) { return addressed.hits(entry.second); }));
  }
  std::uint32_t count = 0;
  const std::string* node = nullptr;  // the node whose locality `place` is: keys of one node are neighbours
  model::Locality place;
  for (const auto& [key, endpoint] : records.endpoints) {
    if (node == nullptr || *node != endpoint.node) place = model::locality_of(records, endpoint.node);
    node = &endpoint.node;
    count += hits(target, subject_of(endpoint, place)) ? 1 : 0;
  }
  return count;
}

std::string nobody_in(const model::Records& records, const model::OverrideTarget& target) {
  if (is_external(records, target)) return "";
  return "no endpoint belongs to " + target_text(target) + meant(target.name, names_for(records, target.kind));
}

std::vector<Finding> lint(const LintScene& scene, const model::VirtualDestination& object) {
  Findings out;
  const auto endpoints = lint_services(scene, object, out);
  const HostPlan plan =
      plan_object({scene.records, scene.planner.claims(), scene.records.overrides, scene.now}, object, endpoints);
  lint_hosts(scene, object, plan, out);
  lint_ports(object, endpoints, out);
  for (const std::string& advice : port_advice(plan)) out.push_back({"spec.ports", Severity::Advice, advice});
  lint_externals(scene, object, out);
  lint_spellings(scene, plan, out);
  lint_policy(scene, plan, out);
  return out;
}

std::vector<Finding> lint(const LintScene& scene, const model::Cluster& cluster) {
  Findings out;
  for (const auto& [other, distance] : cluster.distances) {
    lint_name(scene, Part::Cluster, other, "spec.distances." + other, out);
  }
  for (const Part part : model::kParts) {
    const bool is_cluster = part == Part::Cluster;
    const std::string path = is_cluster ? "metadata.name" : "spec.locality." + std::string(part_name(part));
    auto spelling = scene.names.spelling_of(part, is_cluster ? cluster.meta.name : cluster.locality.part(part));
    if (!spelling.empty()) out.push_back({path, Severity::Advice, std::move(spelling)});
  }
  lint_prefixes(scene, cluster, out);
  const auto& of_nodes = scene.names.clusters_of_nodes();
  if (of_nodes.empty() || of_nodes.contains(cluster.meta.name)) return out;
  const std::string guess = meant(cluster.meta.name, {of_nodes.begin(), of_nodes.end()});
  if (!guess.empty()) out.push_back({"metadata.name", Severity::Warning, "no node is in this cluster" + guess});
  return out;
}

std::vector<Finding> lint(const LintScene& scene, const model::Override& override) {
  Findings out;
  if (override.action != model::Action::Freeze) {
    if (auto text = missed(scene.records, override.target); !text.empty()) {
      out.push_back({"spec.target", Severity::Warning, std::move(text)});
    }
  }
  if (override.expires == 0) {
    out.push_back({"spec.expires", Severity::Advice, "not given: it lasts until somebody takes it away"});
  }
  return out;
}

}  // namespace meshdns::topology
