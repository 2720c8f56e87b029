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

/// The severity of a finding.
enum class Severity : std::uint8_t {
  Advice,   // works as written, but may surprise
  Warning,  // does not do what it seems to say
  Error,    // the part of the object has no effect
};

/// A suspicious part of an object.
struct Finding {
  std::string path;  // "spec.policy.ladder[1]"
  Severity severity = Severity::Warning;
  std::string message;

  friend bool operator==(const Finding&, const Finding&) = default;
};

/// The names of regions, zones, clusters and so on that nodes, Cluster objects and external endpoints use. Lint finds
/// misspelt names with it.
class KnownNames {
 public:
  KnownNames() = default;
  explicit KnownNames(const model::Records& records);
  /// Adds the names that a node uses.
  void add(const model::Records& records, const model::Node& node);
  /// Adds the names that an object uses; the object need not be applied yet.
  void add(const model::Cluster& cluster);
  void add(const model::VirtualDestination& object);

  /// Returns "nothing is in region ue (did you mean \"eu\"?)".
  /// returns: empty = the name is known, or no name of this part is known
  std::string problem_of(model::Part part, const std::string& name) const;
  /// Returns "region eu is also written EU: names that differ only in the case of letters are one".
  /// returns: empty = everybody spells the name in the same way
  std::string spelling_of(model::Part part, const std::string& name) const;
  /// Returns whether some prefix of a node or a cluster stands for several clients.
  bool has_wide_prefixes() const { return wide_prefixes_; }
  /// Returns the clusters that nodes name as theirs.
  const std::set<std::string, NameLess>& clusters_of_nodes() const { return clusters_of_nodes_; }

 private:
  void add(const model::Locality& place);
  void note_prefixes(const std::vector<Prefix>& prefixes);

  /// All spellings in use, by a name without case.
  using Spellings = std::map<std::string, std::set<std::string>, NameLess>;

  std::array<Spellings, model::kParts.size()> names_;
  std::set<std::string, NameLess> clusters_of_nodes_;
  bool wide_prefixes_ = false;
};

/// Objects that are about to be applied together, such as those of one file. Lint looks at each of them as if the
/// others were applied.
struct Companions {
  std::map<std::string, model::VirtualDestination> destinations;  // by "namespace/name"
  std::map<std::string, std::vector<std::string>> claims;         // by host: keys of destinations in their order
  std::map<std::string, model::Cluster, NameLess> clusters;

  void add(const model::VirtualDestination& object);
  void add(const model::Cluster& cluster) { clusters.emplace(cluster.meta.name, cluster); }
};

/// The surroundings in which lint() looks at an object. Everything that it refers to must outlive it.
struct LintScene {
  const model::Records& records;
  Planner& planner;  // plans `records`
  const KnownNames& names;
  std::vector<std::string> zones;  // of the server: hosts must be below one of them
  bool coarse_forwarders = false;  // a trusted forwarder sends no client subnets: its clients share one place
  TimePoint now;
  Companions companions{};
  std::string cluster{};  // of the server
};

/// Returns the suspicious parts of an object, applied or not. The findings follow from the object and the scene alone.
/// source: docs/design.md section 4
std::vector<Finding> lint(const LintScene& scene, const model::VirtualDestination& object);
std::vector<Finding> lint(const LintScene& scene, const model::Cluster& cluster);
std::vector<Finding> lint(const LintScene& scene, const model::Override& override);

/// Returns why no endpoint belongs to a target, with a similar name that may be meant.
/// returns: empty = an endpoint belongs to the target
std::string missed(const model::Records& records, const model::OverrideTarget& target);
/// Returns the same text for a target to which no endpoint of the records belongs.
/// returns: empty = an external endpoint may belong to the target
std::string nobody_in(const model::Records& records, const model::OverrideTarget& target);
/// Returns the number of endpoints of the records that belong to a target. External endpoints are not counted.
std::uint32_t count_hits(const model::Records& records, const model::OverrideTarget& target);

/// Returns a sentence for each port of a host where clients that use its number do not reach every endpoint, and one
/// for port names beyond the limit.
/// source: docs/design.md section 4, step 10
std::vector<std::string> port_advice(const HostPlan& host);

}  // namespace meshdns::topology
