#pragma once

#include <string_view>

#include "common/model/memberships.h"
#include "common/model/records.h"
#include "dnsd/topology/plan.h"

namespace meshdns::topology {

// How it works. An endpoint of several services takes part in several hosts, and in each with other ports:
//
//   host of                  ports of the endpoint there
//   ----------------------   --------------------------------------------------------------------------------
//   a service                those of its membership in it; its own ones too if it is its own service
//   an object, by a name     those of its membership in that service, then its own ones
//   an object, by labels     its own ones, then those of all memberships whose names mean one number only
//
// Where a name occurs twice, its first port counts. For an endpoint without memberships all of this is its own ports,
// at no cost.

/// Tells which part of an endpoint counts for one host: of which services it is there, and so its ports, its hostname,
/// and whether its readiness counts. Everything it is made of must outlive it. Pure.
class HostPart {
 public:
  /// The automatic host of a service.
  explicit HostPart(std::string_view service) : service_(service) {}
  /// A host of an object.
  HostPart(const model::Records& records, const model::VirtualDestination& object)
      : records_(&records), object_(&object) {}

  /// Whether a service of this host publishes the endpoint whatever its readiness (publishNotReadyAddresses). As in
  /// Kubernetes, such an endpoint counts as ready until it is gone: before its first success, while it fails, and while
  /// it terminates. Overrides, silence and lost addresses count as for any other.
  bool not_ready_too(const model::Endpoint& endpoint) const;
  /// Returns the endpoint's own name within this host; empty = it has none.
  std::string_view hostname(const model::Endpoint& endpoint) const;
  /// Returns topology::candidate_of() and standing_of() for this host. The ports are not set, except Candidate::port.
  Candidate candidate_of(const PlanContext& context, const model::Endpoint& endpoint) const;
  Standing standing_of(const PlanContext& context, const model::Endpoint& endpoint) const {
    return topology::standing_of(context, endpoint, not_ready_too(endpoint));
  }

  /// Calls visit(const model::Port&) for the ports that the endpoint has in this host. A name may be visited twice; then
  /// its first port counts.
  template <class Visit>
  void for_each_port(const model::Endpoint& endpoint, Visit visit) const;

 private:
  /// Calls visit(const model::Membership&) for the memberships by which the endpoint is in this host.
  /// returns: whether a selector of labels alone selects the endpoint, too
  template <class Visit>
  bool visit_memberships(const model::Endpoint& endpoint, Visit visit) const;
  bool selected_by(const model::ServiceSelector& selector, const model::Endpoint& endpoint) const;

  std::string_view service_;
  const model::Records* records_ = nullptr;
  const model::VirtualDestination* object_ = nullptr;  // null = the automatic host of service_
};

template <class Visit>
bool HostPart::visit_memberships(const model::Endpoint& endpoint, Visit visit) const {
  if (endpoint.memberships.empty()) return false;
  const auto look = [&](std::string_view service) {
    if (const auto* membership = model::membership_in(endpoint, service)) visit(*membership);
  };
  if (object_ == nullptr) {
    look(service_);
    return false;
  }
  bool by_labels = false;
  for (const model::ServiceSelector& selector : object_->services) {
    if (!selected_by(selector, endpoint)) continue;
    by_labels = by_labels || selector.name.empty();
    if (!selector.name.empty()) look(selector.name);
  }
  return by_labels;
}

template <class Visit>
void HostPart::for_each_port(const model::Endpoint& endpoint, Visit visit) const {
  if (object_ == nullptr) return model::for_each_port_in(endpoint, service_, visit);
  const bool by_labels = visit_memberships(endpoint, [&](const model::Membership& membership) {
    for (const model::Port& port : membership.ports) visit(port);
  });
  if (by_labels) return model::for_each_clear_port(endpoint, visit);
  for (const model::Port& port : endpoint.ports) visit(port);
}

}  // namespace meshdns::topology
