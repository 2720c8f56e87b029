#include "dnsd/topology/lint_hosts.h"

#include <algorithm>
#include <optional>

#include "common/base/names.h"
#include "common/base/text.h"
#include "dnsd/topology/lint_policy.h"

namespace meshdns::topology {
namespace {

using Findings = std::vector<Finding>;

// The longest instance label has 39 characters and a dot; below a longer host it would not fit into 253.
constexpr std::size_t kLongestHost = 213;

/// Returns the address that an instance label such as "10-0-0-11" stands for.
std::optional<IpAddress> labelled_address(std::string label) {
  std::ranges::replace(label, '-', '.');
  if (const auto v4 = IpAddress::parse(label)) return *v4;
  std::ranges::replace(label, '.', ':');
  if (std::ranges::count(label, ':') != 7) return std::nullopt;
  if (const auto v6 = IpAddress::parse(label)) return *v6;
  return std::nullopt;
}

bool has_instance(const LintScene& scene, const HostPlan& host, const IpAddress& address) {
  const bool endpoint = std::ranges::any_of(
      host.candidates, [&](const Candidate& candidate) { return candidate.v4 == address || candidate.v6 == address; });
  return endpoint || std::ranges::any_of(scene.records.clusters, [&](const auto& entry) {
           return std::ranges::any_of(entry.second.gateways,
                                      [&](const auto& gateway) { return gateway.address == address; });
         });
}

/// Returns the plan of an object that is not applied yet.
HostPlan plan_ahead(const LintScene& scene, const model::VirtualDestination& object) {
  std::vector<const model::Endpoint*> endpoints;
  for (const model::ServiceSelector& selector : object.services) {
    const auto matched = scene.planner.endpoints_of(selector, object.meta.namespace_);
    endpoints.insert(endpoints.end(), matched.begin(), matched.end());
  }
  return plan_object({scene.records, scene.planner.claims(), scene.records.overrides, scene.now}, object, endpoints);
}

/// Returns the plan of a host as it will be when the companions are applied.
std::optional<HostPlan> plan_of_host(const LintScene& scene, const std::string& host) {
  const auto claims = scene.companions.claims.find(host);
  if (claims == scene.companions.claims.end()) return scene.planner.plan(host, scene.now);
  return plan_ahead(scene, scene.companions.destinations.at(claims->second.front()));
}

/// Finds a host whose first label is the instance label of an endpoint of its parent host.
void lint_nested(const LintScene& scene, const std::string& host, const HostPlan& own,
                 const model::VirtualDestination& object, const std::string& path, Findings& out) {
  const auto dot = host.find('.');
  if (dot == std::string::npos) return;
  const std::string parent = host.substr(dot + 1);
  const auto address = labelled_address(host.substr(0, dot));
  if (!address) return;
  const bool of_object = std::ranges::find(object.hosts, parent) != object.hosts.end();
  const auto plan = of_object ? std::optional(own) : plan_of_host(scene, parent);
  if (!plan || !has_instance(scene, *plan, *address)) return;
  out.push_back({path, Severity::Warning,
                 "it hides the instance name of " + address->text() + " of " + parent + ": this host wins"});
}

/// Returns the rank of an object among those that claim a host: the oldest has it; an object not applied is the
/// youngest.
auto seniority(const LintScene& scene, const std::string& key) {
  static const model::ObjectMeta kNew;
  const auto live = scene.records.destinations.find(key);
  const bool is_new = live == scene.records.destinations.end();
  return std::make_pair(is_new, claim_rank(is_new ? kNew : live->second.meta, key));
}

/// Finds the other objects that claim a host, among those that are applied and the companions.
void lint_claims(const LintScene& scene, const std::string& host, const std::string& own, const std::string& path,
                 Findings& out) {
  const auto served = scene.planner.plan(host, scene.now);
  const bool taken = served && !served->object.empty() && served->object != own;
  if (taken && !scene.companions.destinations.contains(served->object)) {
    out.push_back({path, Severity::Warning, served->object + " claims it too: the older object has it"});
  }
  const auto claims = scene.companions.claims.find(host);
  if (claims == scene.companions.claims.end()) return;
  std::vector<std::string> others;
  std::string winner = own;
  for (const std::string& key : claims->second) {
    if (key != own) others.push_back(key);
    if (seniority(scene, key) < seniority(scene, winner)) winner = key;
  }
  if (others.empty()) return;
  out.push_back({path, Severity::Warning,
                 join(others, ", ") + (others.size() == 1 ? " claims" : " claim") +
                     " it too, in the same file: " + winner + " has it"});
}

}  // namespace

void Companions::add(const model::VirtualDestination& object) {
  const std::string key = object.meta.key();
  if (!destinations.emplace(key, object).second) return;
  for (const std::string& host : object.hosts) claims[host].push_back(key);
}

void lint_hosts(const LintScene& scene, const model::VirtualDestination& object, const HostPlan& own,
                std::vector<Finding>& out) {
  for (std::size_t i = 0; i < object.hosts.size(); ++i) {
    const std::string& host = object.hosts[i];
    const std::string path = indexed("spec.hosts", i);
    if (zone_of(scene.zones, host).empty()) {
      out.push_back(
          {path, Severity::Error,
           host + " is below none of the server's zones (" + join(scene.zones, ", ") + "): it is not served"});
    }
    lint_claims(scene, host, object.meta.key(), path, out);
    if (host.size() > kLongestHost) {
      out.push_back({path, Severity::Warning,
                     "longer than " + std::to_string(kLongestHost) +
                         " characters: some instances have no names, and are missing in SRV and SVCB"});
    }
    lint_nested(scene, host, own, object, path, out);
  }
}

void lint_prefixes(const LintScene& scene, const model::Cluster& cluster, std::vector<Finding>& out) {
  const auto has = [](const model::Cluster& other, const Prefix& prefix) {
    return std::ranges::find(other.client_prefixes, prefix) != other.client_prefixes.end();
  };
  for (std::size_t i = 0; i < cluster.client_prefixes.size(); ++i) {
    const Prefix& prefix = cluster.client_prefixes[i];
    std::set<std::string, NameLess> others;
    for (const auto& [name, other] : scene.companions.clusters) {
      if (has(other, prefix)) others.insert(name);
    }
    for (const auto& [name, other] : scene.records.clusters) {
      if (!scene.companions.clusters.contains(name) && has(other, prefix)) others.insert(name);
    }
    others.erase(cluster.meta.name);
    if (others.empty()) continue;
    out.push_back({indexed("spec.clientPrefixes", i), Severity::Warning,
                   "cluster " + join({others.begin(), others.end()}, ", ") + " has " + prefix.text() +
                       " too: the prefix alone does not say where such a client is"});
  }
}

}  // namespace meshdns::topology
