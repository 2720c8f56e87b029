#pragma once

#include <string>
#include <vector>

#include "common/model/records.h"
#include "dnsd/topology/host_plan.h"

namespace meshdns::topology {

// How it works. Whether an endpoint is exported is a property of the endpoint in a service (model::is_exported()). A host
// finds its endpoints by services: an automatic host by its own one, an object by its selectors. An endpoint is exported
// in a host if one of the services by which the host finds it exports it. An object therefore exports nothing itself:
// the owner of a namespace decides what other clusters see, and whoever writes an object cannot change that.
//
// The result is a flag of each candidate. decide() leaves out the endpoints that a client does not see; they are in no
// tier, and count nowhere. A host in the zones of Multi-Cluster Services has only exported endpoints from the beginning.

/// The services by which the owner of a host finds endpoints. Everything that it refers to must outlive it. Pure.
class HostServices {
 public:
  explicit HostServices(const model::ServiceKey& service) : service_(&service) {}
  explicit HostServices(const model::VirtualDestination& object) : object_(&object) {}

  /// Returns whether clients of other clusters see an endpoint in the host.
  /// cluster: the cluster of the endpoint's node
  bool exports(const model::Endpoint& endpoint, const std::string& cluster) const;
  /// Removes the endpoints that are not exported.
  void keep_exported(const model::Records& records, std::vector<const model::Endpoint*>& endpoints) const;
  /// Sets the exports of a plan's candidates.
  /// endpoints: those of the first candidates, in the same order
  void write(const std::vector<const model::Endpoint*>& endpoints, HostPlan& host) const;

 private:
  /// Calls visit(service) for each selected service; an empty name stands for all services of the endpoint.
  template <class Visit>
  void for_each_service(const model::Endpoint& endpoint, const std::string& cluster, Visit visit) const;

  const model::ServiceKey* service_ = nullptr;
  const model::VirtualDestination* object_ = nullptr;
};

}  // namespace meshdns::topology
