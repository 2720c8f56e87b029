#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/locality.h"
#include "common/model/records.h"
#include "dnsd/topology/planner.h"

namespace meshdns::topology {

enum class Severity : std::uint8_t {
  Advice,   // works as written; somebody may expect something else
  Warning,  // does not do what it seems to say
  Error,    // has no effect
};
/// "advice", "warning", "error"
std::string_view severity_name(Severity severity);

/// One thing that is suspicious in an object.
struct Finding {
  std::string path;  // "spec.policy.ladder[1]"
  Severity severity = Severity::Warning;
  std::string message;

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// The names of regions, zones, clusters, ... that nodes, Cluster objects and external endpoints have.
class KnownNames {
 public:
  KnownNames() = default;
  explicit KnownNames(const model::Records& records);
  void add(const model::Records& records, const model::Node& node);
  /// Those of an object too, which may be about to be applied.
  void add(const model::Cluster& cluster);
  void add(const model::VirtualDestination& object);

  /// Empty = it is known, or nothing is known of this part; else "no node is in region ue (did you mean \"eu\"?)".
  std::string problem_of(model::Part part, const std::string& name) const;
  /// Empty = everybody writes the name of this part in the same way as here; else "region eu is also written EU: names
  /// that differ only in the case of letters are one".
  std::string spelling_of(model::Part part, const std::string& name) const;
  /// Some prefix of a node or a cluster stands for several clients.
  bool has_wide_prefixes() const { return wide_prefixes_; }
  /// The clusters that nodes say they are in.
  const std::set<std::string, NameLess>& clusters_of_nodes() const { return clusters_of_nodes_; }

 private:
  void add(const model::Locality& place);
  void note_prefixes(const std::vector<Prefix>& prefixes);

  using Spellings = std::map<std::string, std::set<std::string>, NameLess>;  // of names that are one

  std::array<Spellings, model::kParts.size()> names_;
  std::set<std::string, NameLess> clusters_of_nodes_;
  bool wide_prefixes_ = false;
};

/// Objects that are about to be applied together, as those of one file: each is looked at as if the others were there.
struct Companions {
  std::map<std::string, model::VirtualDestination> destinations;  // by "namespace/name"
  std::map<std::string, std::vector<std::string>> claims;         // host -> keys of destinations, in their order
  std::map<std::string, model::Cluster, NameLess> clusters;

  void add(const model::VirtualDestination& object);
  void add(const model::Cluster& cluster) { clusters.emplace(cluster.meta.name, cluster); }
};

/// What objects are looked at against. Refers to its parts.
struct LintScene {
  const model::Records& records;
  Planner& planner;  // of the records
  const KnownNames& names;
  std::vector<std::string> zones;  // of hosts
  bool coarse_forwarders = false;  // a trusted forwarder without client subnets stands for all clients of its place
  TimePoint now;
  Companions companions{};
};

/// What is suspicious in an object, whether it is applied or not. What the object says of itself comes first; the rest
/// depends on the records, and on them alone.
/// source: docs/design.md section 4
std::vector<Finding> lint(const LintScene& scene, const model::VirtualDestination& object);
std::vector<Finding> lint(const LintScene& scene, const model::Cluster& cluster);
std::vector<Finding> lint(const LintScene& scene, const model::Override& override);

/// Empty = some endpoint belongs to the target; else why that is, with the name that may be meant.
std::string missed(const model::Records& records, const model::Target& target);
/// The same of a target that no endpoint of the records belongs to; external endpoints may.
std::string nobody_in(const model::Records& records, const model::Target& target);
/// The number of endpoints of the records that belong to the target.
std::uint32_t count_hits(const model::Records& records, const model::Target& target);

/// Of each port of a host where clients that use its number do not reach every endpoint.
/// source: docs/design.md section 4, step 10
std::vector<std::string> port_advice(const HostPlan& host);

}  // namespace meshdns::topology
