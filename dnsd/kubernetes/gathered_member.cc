#include "dnsd/kubernetes/gathered_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/kubernetes/place_name.h"
#include "common/model/host_name.h"
#include "common/model/limits.h"
#include "common/model/sources.h"

namespace meshdns::kubernetes {
namespace {

/// Adds ports that are not there yet. A name that is there at another number keeps that number.
void add_ports(const model::Ports& more, model::Ports& out) {
  for (const model::Port& port : more) {
    const bool known = std::ranges::any_of(
        out, [&](const model::Port& each) { return each.name == port.name && each.protocol == port.protocol; });
    if (!known && out.size() < model::kMostPorts) out.push_back(port);
  }
}

void name_ports(model::Ports& ports) {
  for (model::Port& port : ports) {
    if (!is_ldh_label(port.name)) port.name.clear();
    if (port.name.empty() && ports.size() > 1) port.name = fmt::format("port-{}", port.number);
  }
}

}  // namespace

bool is_on_node(const SliceEndpoint& endpoint) { return !endpoint.pod.empty() && model::is_node_name(endpoint.node); }

std::string member_id(const Slice& slice, const SliceEndpoint& endpoint) {
  if (!endpoint.pod.empty()) return endpoint.pod;
  return "slice/" + slice.service.text() + "/" + endpoint.address.text();
}

bool is_pod(const std::string& member) { return !member.starts_with("slice/"); }

void GatheredMember::add(const Slice& slice, const SliceEndpoint& endpoint, const Service& service, bool exported) {
  model::Membership& membership = memberships[service.name.name];
  membership.service = service.name.name;
  add_ports(slice.ports, membership.ports);
  if (membership.hostname.empty() && is_ldh_label(endpoint.hostname)) membership.hostname = endpoint.hostname;
  membership.exported = exported;
  membership.not_ready_too = service.not_ready_too;
  namespace_ = service.name.namespace_;
  addresses.insert(endpoint.address);
  if (is_on_node(endpoint)) {
    on_node = true;
    node = endpoint.node;
  }
  if (zone.empty()) zone = place_name(endpoint.zone);
  serving = serving && endpoint.serving;
  terminating = terminating || endpoint.terminating;
}

model::HealthState GatheredMember::state() const {
  if (!serving) return model::HealthState::Pending;
  return terminating ? model::HealthState::Draining : model::HealthState::Serving;
}

model::Memberships GatheredMember::services() const {
  model::Memberships out;
  for (const auto& [service, membership] : memberships) {
    out.push_back(membership);
    name_ports(out.back().ports);
  }
  return out;
}

model::Endpoint GatheredMember::endpoint(const std::string& member, const std::string& node_key,
                                         TimePoint since) const {
  model::Endpoint out;
  out.key = node_key + (is_pod(member) ? "/pod/" : "/") + member;
  out.uid = is_pod(member) ? member : "";
  out.source = model::kSliceSource;
  out.namespace_ = namespace_;
  out.addresses.assign(addresses.begin(), addresses.end());
  if (out.addresses.size() > model::kMostAddresses) out.addresses.resize(model::kMostAddresses);
  out.health.state = state();
  out.health.since = since;
  if (out.health.state == model::HealthState::Pending) {
    // as many failures as needed: an endpoint that was answered before is failing now (known_health.h)
    out.health.streak = out.health.needed = 1;
    out.health.detail = "its EndpointSlice says that it does not serve";
  } else if (out.health.state == model::HealthState::Draining) {
    out.health.detail = "its EndpointSlice says that it terminates";
  }
  out.node = node_key;
  out.memberships = services();
  return out;
}

}  // namespace meshdns::kubernetes
