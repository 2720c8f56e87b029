#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>

#include "common/model/records.h"
#include "dnsd/kubernetes/objects.h"

namespace meshdns::kubernetes {

/// Finds out where the clusters of the mesh disagree about the ports of an exported service. Pure.
///
/// How it works: a round goes through all endpoints, some at each step, because the catalog has no list of a service's
/// endpoints, and notes the ports that each cluster exports for the services of interest. The end of the round compares
/// them. So a step costs the same whatever the number of endpoints is, and a conflict is found within a round.
///
/// Ports are compared by name, protocol and application protocol. Their numbers are those of pods, which may differ
/// from cluster to cluster.
/// source: KEP-1645, "Constraints and Conflict Resolution": all clusters should export the same ports
class ExportSurvey {
 public:
  /// Begins a round.
  /// services: those of interest
  void begin(std::set<ObjectName> services);
  /// Looks at the next endpoints. Endpoints that come or go during the round may be missed by it.
  /// most:    of endpoints
  /// returns: whether that was the end of the round
  bool step(const model::Records& records, std::size_t most);
  bool under_way() const { return under_way_; }
  /// Whether a service was of interest in the last round that has ended.
  bool covers(const ObjectName& service) const { return covered_.contains(service); }

  /// Returns how the clusters disagree, by the last round: "the ports differ: eu-1 has http/TCP; us-1 has grpc/TCP".
  /// Empty = they agree, or only one cluster exports the service.
  std::string conflict(const ObjectName& service) const;
  /// The services with a conflict.
  const std::map<ObjectName, std::string>& conflicts() const { return conflicts_; }

 private:
  using Ports = std::set<std::string>;

  void note(const model::Endpoint& endpoint);
  void end();

  std::set<ObjectName> services_;                             // of the round
  std::set<ObjectName> covered_;                              // of the round before
  std::map<ObjectName, std::map<std::string, Ports>> found_;  // service -> cluster -> ports
  std::string next_;                                          // key of the next endpoint
  bool under_way_ = false;
  std::map<ObjectName, std::string> conflicts_;
};

}  // namespace meshdns::kubernetes
