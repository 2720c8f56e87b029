#include "dnsd/app/mesh_view.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/log/log.h"
#include "common/rpc/acceptor.h"
#include "dnsd/answers/explain.h"
#include "dnsd/app/conditions.h"
#include "dnsd/app/version.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/explain/findings.h"
#include "dnsd/topology/plan.h"

namespace meshdns::app {
namespace {

google::protobuf::Duration since(TimePoint then, TimePoint now) {
  return convert::to_wire(std::max(Duration::zero(), now - then));
}

}  // namespace

Result<v1::ListReply> MeshView::list(const v1::ListRequest& request) {
  v1::ListReply out;
  out.set_revision(parts_.catalog->revision());
  if (request.kind() == "Node") {
    list_nodes(request, out);
  } else if (request.kind() == "Endpoint") {
    list_endpoints(request, out);
  } else if (request.kind() == "VirtualDestination" || request.kind() == "Cluster" || request.kind() == "Override") {
    list_objects(request, out);
  } else {
    return Error(Code::InvalidArgument, "there is no kind " + request.kind());
  }
  const bool empty = out.nodes().empty() && out.endpoints().empty() && out.objects().empty();
  if (!request.key().empty() && empty)
    return Error(Code::NotFound, request.kind() + " " + request.key() + " not found");
  return out;
}

void MeshView::write_names_condition(v1::Object& object) const {
  const std::string key = object.metadata().namespace_() + "/" + object.metadata().name();
  const auto& destinations = parts_.catalog->records().destinations;
  const auto found = destinations.find(key);
  if (parts_.external_names == nullptr || found == destinations.end()) return;
  const auto has_name = [](const model::ExternalEndpoint& external) { return !external.hostname.empty(); };
  if (std::ranges::none_of(found->second.external_endpoints, has_name)) return;
  const auto problems = parts_.external_names->problems_of(found->second);
  v1::Condition& resolved = *object.mutable_status()->add_conditions();
  resolved.set_type("NamesResolved");
  resolved.set_status(problems.empty() ? "True" : "False");
  resolved.set_reason(problems.empty() ? "AllResolved" : "NameNotResolved");
  resolved.set_message(problems.empty() ? "every hostname has addresses" : join(problems, "; "));
}

void MeshView::write_measured(v1::Object& object) const {
  const auto& statuses = parts_.catalog->records().cluster_statuses;
  const auto found = statuses.find(object.metadata().name());
  if (found == statuses.end()) return;
  for (const auto& [to, far] : found->second.distances) {
    (*object.mutable_status()->mutable_distances())[to] = convert::to_wire(far);
  }
  for (const IpAddress& address : found->second.gateways_down) {
    object.mutable_status()->add_gateways_down(address.text());
  }
}

void MeshView::list_objects(const v1::ListRequest& request, v1::ListReply& out) const {
  const Conditions conditions(*parts_.catalog, *parts_.publisher, parts_.clock.now());
  for (const auto& [key, object] : parts_.objects->all()) {
    const std::string kind = request.kind() + "/";
    const bool named = request.key().empty() || convert::object_key(object) == kind + request.key();
    if (!key.starts_with(kind) || !named) continue;
    *out.add_objects() = object;
    conditions.write(*out.mutable_objects()->rbegin());
    if (object.has_cluster()) write_measured(*out.mutable_objects()->rbegin());
    if (object.has_virtual_destination()) write_names_condition(*out.mutable_objects()->rbegin());
  }
}

v1::NodeInfo MeshView::node_info(const model::Node& node) const {
  v1::NodeInfo out;
  out.set_key(node.key);
  *out.mutable_locality() = convert::to_wire(model::locality_of(parts_.catalog->records(), node.key));
  for (const IpAddress& address : node.addresses) out.add_addresses(address.text());
  for (const Prefix& prefix : node.prefixes) out.add_prefixes(prefix.text());
  const auto& statuses = parts_.catalog->records().statuses;
  const auto status = statuses.find(node.key);
  if (status != statuses.end()) {
    const bool held = !status->second.held.empty();
    out.set_state(status->second.silent ? "silent" : held ? "held" : "late");
    *out.mutable_in_state() = since(status->second.since, parts_.clock.now());
  } else {
    const bool connected = parts_.agents != nullptr && parts_.agents->is_connected(node.key);
    const char* without_agents = parts_.replica != nullptr ? "heard" : "from file";
    out.set_state(parts_.agents == nullptr ? without_agents : connected ? "connected" : "disconnected");
  }
  return out;
}

void MeshView::list_nodes(const v1::ListRequest& request, v1::ListReply& out) const {
  const model::Records& records = parts_.catalog->records();
  std::map<std::string, std::uint32_t> endpoints;
  for (const auto& [key, endpoint] : records.endpoints) ++endpoints[endpoint.node];
  for (const auto& [key, node] : records.nodes) {
    if (!request.key().empty() && request.key() != key) continue;
    v1::NodeInfo& info = *out.add_nodes();
    info = node_info(node);
    info.set_endpoints(endpoints[key]);
  }
}

void MeshView::list_endpoints(const v1::ListRequest& request, v1::ListReply& out) const {
  const model::Records& records = parts_.catalog->records();
  const topology::PlanContext context{records, records.overrides, parts_.clock.now()};
  for (const auto& [key, endpoint] : records.endpoints) {
    if (!request.key().empty() && request.key() != key) continue;
    v1::EndpointInfo& info = *out.add_endpoints();
    info = explain::endpoint_info(topology::candidate_of(context, endpoint), context.now);
    info.set_node(endpoint.node);
    info.set_namespace_(endpoint.namespace_);
    info.set_service(endpoint.service);
    info.mutable_labels()->insert(endpoint.labels.begin(), endpoint.labels.end());
    if (endpoint.health.state == model::HealthState::Pending) info.set_state("pending");
    for (const model::Port& port : endpoint.ports) *info.add_ports() = convert::to_wire(port);
  }
}

v1::LintReply MeshView::lint(const v1::LintRequest& request) {
  explain::Linter linter(parts_.catalog->records(), parts_.publisher->planner(), parts_.publisher->settings(),
                         parts_.clock.now());
  v1::LintReply out;
  const auto look_at = [&](const v1::Object& object) {
    for (v1::Finding& finding : linter.look(object)) *out.add_findings() = std::move(finding);
    out.set_objects(out.objects() + 1);
  };
  for (const v1::Object& object : request.objects()) linter.expect(object);
  for (const v1::Object& object : request.objects()) look_at(object);
  if (!request.objects().empty()) return out;
  for (const auto& [key, object] : parts_.objects->all()) look_at(object);
  return out;
}

void MeshView::write_listeners(v1::StatusReply& out) const {
  if (parts_.dns == nullptr) return;
  const auto& settings = parts_.publisher->settings();
  for (std::size_t i = 0; i < parts_.dns->bound().size(); ++i) {
    v1::Listener& listener = *out.add_dns();
    listener.set_address(parts_.dns->bound()[i].text());
    *listener.mutable_locality() = convert::to_wire(settings.listeners[i].locality);
  }
  const server::ServerTotals totals = parts_.dns->counters();
  out.set_queries(totals.udp.received + totals.tcp.received);
}

void MeshView::count_records(v1::StatusReply& out) const {
  const model::Records& records = parts_.catalog->records();
  out.set_nodes(static_cast<std::uint32_t>(records.nodes.size()));
  out.set_nodes_silent(static_cast<std::uint32_t>(
      std::ranges::count_if(records.statuses, [](const auto& entry) { return entry.second.silent; })));
  const topology::PlanContext context{records, records.overrides, parts_.clock.now()};
  for (const auto& [key, endpoint] : records.endpoints) {
    const auto standing = topology::candidate_of(context, endpoint).standing;
    ++(*out.mutable_endpoints())[std::string(standing_name(standing))];
  }
}

void MeshView::write_brakes(v1::StatusReply& out) const {
  const auto add = [&out](const std::string& name, const std::string& covers, const std::string& reason,
                          std::uint64_t held) {
    v1::BrakeInfo& info = *out.add_brakes();
    info.set_name(name);
    info.set_covers(covers);
    info.set_reason(reason);
    info.set_held_back(held);
  };
  if (parts_.agents != nullptr) {
    for (const auto& brake : parts_.agents->brakes().closed()) add(brake.name, brake.covers, brake.reason, brake.held);
  }
  if (parts_.replica != nullptr) {
    for (const v1::Brake& brake : parts_.replica->origin_brakes()) {
      add(brake.name(), brake.covers(), brake.reason(), brake.held_back());
    }
  }
}

void MeshView::write_connections(v1::StatusReply& out) const {
  if (parts_.acceptor == nullptr) return;
  const rpc::Acceptor::Counts counts = parts_.acceptor->counts();
  v1::ConnectionsInfo& info = *out.mutable_connections();
  info.set_open(counts.open);
  info.set_most(counts.most);
  info.set_full(counts.full);
  info.set_failing(counts.failing);
  info.set_refused(counts.refused);
  info.set_evicted(counts.evicted);
}

Result<v1::ApproveShrinkReply> MeshView::approve_shrink() {
  if (parts_.recovery != nullptr && parts_.recovery->recovering()) return approve_records();
  if (parts_.replica == nullptr) return Error(Code::FailedPrecondition, "this is not a replica: it refuses no sets");
  federation::Mirror& mirror = parts_.replica->mirror();
  if (mirror.shrink_refused().empty()) return Error(Code::FailedPrecondition, "no set is refused");
  mirror.approve_shrink();
  log::info("shrink approved", {{"what", mirror.shrink_refused()}});
  v1::ApproveShrinkReply reply;
  reply.set_approved(mirror.shrink_refused());
  return reply;
}

v1::ApproveShrinkReply MeshView::approve_records() {
  const std::string what = "endpoints known: " + std::to_string(parts_.catalog->records().endpoints.size());
  parts_.recovery->approve();
  log::info("recovery ended by an operator", {{"what", what}});
  v1::ApproveShrinkReply reply;
  reply.set_approved(what);
  return reply;
}

void MeshView::write_overrides(v1::StatusReply& out) const {
  const topology::Overrides& overrides = parts_.catalog->records().overrides;
  out.set_overrides(static_cast<std::uint32_t>(overrides.size()));
  if (parts_.local_overrides != nullptr) {
    out.set_local_overrides(static_cast<std::uint32_t>(parts_.local_overrides->size()));
  }
  const model::Override* word = topology::freeze_among(overrides);
  if (word == nullptr) return;
  v1::FreezeInfo& freeze = *out.mutable_freeze();
  freeze.set_since(word->meta.created);
  freeze.set_author(word->author);
  freeze.set_reason(word->reason);
  freeze.set_expires(word->expires);
  if (parts_.replica == nullptr) freeze.set_held(parts_.catalog->held());
}

v1::StatusReply MeshView::status() {
  const TimePoint now = parts_.clock.now();
  v1::StatusReply out;
  out.set_version(kVersion);
  out.set_cluster(parts_.configuration->file.cluster());
  out.set_instance(parts_.instance);
  for (const std::string& role : parts_.configuration->file.roles()) out.add_roles(role);
  *out.mutable_uptime() = since(parts_.started, now);
  out.set_revision(parts_.catalog->revision());
  *out.mutable_revision_age() = since(std::max(parts_.catalog->changed(), parts_.started), now);
  out.set_serial(parts_.publisher->serial());
  out.set_ready(parts_.ready);
  for (const auto& zone : parts_.publisher->settings().zones) out.add_zones(zone.name);
  write_listeners(out);
  out.set_federation(parts_.federation_address);
  write_connections(out);
  out.set_hosts(static_cast<std::uint32_t>(parts_.publisher->hosts()));
  count_records(out);
  if (parts_.agents != nullptr) out.set_agents_connected(static_cast<std::uint32_t>(parts_.agents->connected()));
  write_brakes(out);
  if (parts_.recovery != nullptr) out.set_recovering(parts_.recovery->recovering());
  if (parts_.persistence != nullptr) out.set_store_trouble(parts_.persistence->trouble());
  if (parts_.watchers != nullptr) out.set_subscribers(static_cast<std::uint32_t>(parts_.watchers->subscribers()));
  if (parts_.replica != nullptr) {
    out.set_follows(parts_.replica->server());
    out.set_follows_connected(parts_.replica->connected());
    *out.mutable_unheard_for() = convert::to_wire(parts_.replica->silence());
    out.set_stale(parts_.publisher->stale());
    out.set_recovering(parts_.replica->origin_recovers());
    out.set_shrink_refused(parts_.replica->mirror().shrink_refused());
  }
  write_overrides(out);
  out.set_publications(parts_.publisher->publications());
  *out.mutable_last_compile() = convert::to_wire(parts_.publisher->last_cost());
  write_problems(out);
  return out;
}

void MeshView::write_problems(v1::StatusReply& out) const {
  const auto add = [&out](const std::string& object, const std::string& message) {
    v1::ObjectProblem& problem = *out.add_problems();
    problem.set_object(object);
    problem.set_message(message);
  };
  for (const topology::Conflict& conflict : parts_.publisher->conflicts()) add(conflict.object, conflict.message);
  if (parts_.external_names == nullptr) return;
  for (const auto& [key, object] : parts_.catalog->records().destinations) {
    for (const std::string& message : parts_.external_names->problems_of(object)) add(key, message);
  }
}

}  // namespace meshdns::app
