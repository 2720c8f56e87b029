#include "dnsd/app/listing.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "dnsd/app/conditions.h"
#include "dnsd/app/mesh_view.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/topology/plan.h"

namespace meshdns::app {

/// A page while it is made.
struct Listing::Page {
  v1::ListRequest request;
  Done done;
  PageFill fill;
  v1::ListReply reply{};
  std::string after{};  // the last key that was shown, in this page or before
  bool more = false;    // rows are left for the next page
  std::unique_ptr<Conditions> conditions{};

  bool is_of_objects() const {
    return request.kind() == "VirtualDestination" || request.kind() == "Cluster" || request.kind() == "Override";
  }
  bool is_empty() const { return reply.nodes().empty() && reply.endpoints().empty() && reply.objects().empty(); }
};

namespace {

/// Adds rows to a page until it is full or `belongs` says that the listing ends.
/// make: the row of a record. returns: false = the slice is over
template <class Page, class Map, class Rows, class Belongs, class Make>
bool add_rows(Page& page, const Map& map, Rows& rows, Slice& slice, Belongs belongs, Make make) {
  for (auto at = map.upper_bound(page.after); at != map.end() && belongs(at->first); ++at) {
    page.more = page.fill.full();
    if (page.more) return true;
    if (!slice.take()) return false;
    auto row = make(at->second);
    page.more = !page.fill.add(row.ByteSizeLong());
    if (page.more) return true;
    *rows.Add() = std::move(row);
    page.after = at->first;
  }
  return true;
}

constexpr auto kAll = [](const std::string&) { return true; };

}  // namespace

void Listing::list(const v1::ListRequest& request, const Done& done) {
  const auto page = std::make_shared<Page>(Page{request, done, PageFill({request.limit(), bytes_})});
  const bool known = request.kind() == "Node" || request.kind() == "Endpoint" || page->is_of_objects();
  if (!known) return done(Error(Code::InvalidArgument, "there is no kind " + request.kind()));
  page->reply.set_first_revision(parts_.catalog->revision());
  if (!request.continue_().empty()) {
    const auto token = Continue::parse(request.continue_(), request.kind());
    if (!token) return done(token.error());
    page->after = token->after;
    page->reply.set_first_revision(token->revision);
  }
  const bool runs = slices_.run([this, page](Slice& slice) { return go_on(*page, slice); });
  if (!runs) done(Error(Code::Unavailable, "too many calls at once"));
}

bool Listing::go_on(Page& page, Slice& slice) {
  bool made = false;
  if (page.request.kind() == "Node") {
    made = look_at_nodes(page, slice);
  } else {
    made = page.is_of_objects() ? look_at_objects(page, slice) : look_at_endpoints(page, slice);
  }
  if (!made) return false;
  if (!page.request.key().empty() && page.is_empty()) {
    page.done(Error(Code::NotFound, page.request.kind() + " " + page.request.key() + " not found"));
    return true;
  }
  page.reply.set_revision(parts_.catalog->revision());
  if (page.more)
    page.reply.set_continue_(Continue{page.request.kind(), page.reply.first_revision(), page.after}.text());
  page.done(std::move(page.reply));
  return true;
}

bool Listing::look_at_nodes(Page& page, Slice& slice) {
  const auto& nodes = parts_.catalog->records().nodes;
  const auto make = [this](const model::Node& node) { return node_info(node); };
  if (page.request.key().empty()) return add_rows(page, nodes, *page.reply.mutable_nodes(), slice, kAll, make);
  const auto found = nodes.find(page.request.key());
  if (found != nodes.end()) *page.reply.add_nodes() = node_info(found->second);
  return true;
}

bool Listing::look_at_endpoints(Page& page, Slice& slice) {
  const auto& endpoints = parts_.catalog->records().endpoints;
  const auto make = [this](const model::Endpoint& endpoint) { return endpoint_info(endpoint); };
  if (page.request.key().empty()) return add_rows(page, endpoints, *page.reply.mutable_endpoints(), slice, kAll, make);
  const auto found = endpoints.find(page.request.key());
  if (found != endpoints.end()) *page.reply.add_endpoints() = endpoint_info(found->second);
  return true;
}

bool Listing::look_at_objects(Page& page, Slice& slice) {
  if (!names_.learn(slice)) return false;
  if (page.conditions == nullptr) {
    page.conditions = std::make_unique<Conditions>(*parts_.catalog, *parts_.publisher, *parts_.counts, names_.names(),
                                                   parts_.clock.now());
  }
  const auto& objects = parts_.objects->all();
  const std::string kind = page.request.kind() + "/";
  const std::string& key = page.request.key();
  const auto make = [&](v1::Object object) {
    page.conditions->write(object);
    if (object.has_cluster()) write_measured(object);
    if (object.has_virtual_destination()) write_names_condition(object);
    return object;
  };
  if (page.after.empty()) page.after = kind;
  const auto of_kind = [&](const std::string& of) { return of.starts_with(kind); };
  if (key.empty()) return add_rows(page, objects, *page.reply.mutable_objects(), slice, of_kind, make);
  // a replica's own override has another key here than the name that it is shown by
  for (const std::string& name : {key, std::string(LocalOverrides::kKeyPrefix) + key}) {
    const auto found = objects.find(kind + name);
    const bool named = found != objects.end() && convert::object_key(found->second) == kind + key;
    if (named) *page.reply.add_objects() = make(found->second);
  }
  return true;
}

v1::NodeInfo Listing::node_info(const model::Node& node) const {
  const model::Records& records = parts_.catalog->records();
  const std::string& key = node.key;
  v1::NodeInfo out;
  out.set_key(key);
  *out.mutable_locality() = convert::to_wire(model::locality_of(records, key));
  for (const IpAddress& address : node.addresses) out.add_addresses(address.text());
  for (const Prefix& prefix : node.prefixes) out.add_prefixes(prefix.text());
  out.set_endpoints(parts_.counts->endpoints_of(key));
  const auto status = records.statuses.find(key);
  if (status != records.statuses.end()) {
    const bool held = !status->second.held.empty();
    out.set_state(status->second.silent ? "silent" : held ? "held" : "late");
    const Duration length = std::max(Duration::zero(), parts_.clock.now() - status->second.since);
    *out.mutable_in_state() = convert::to_wire(length);
  } else {
    const bool connected = parts_.agents != nullptr && parts_.agents->is_connected(key);
    const char* without_agents = parts_.replica != nullptr ? "heard" : "from file";
    out.set_state(parts_.agents == nullptr ? without_agents : connected ? "connected" : "disconnected");
  }
  return out;
}

v1::EndpointInfo Listing::endpoint_info(const model::Endpoint& endpoint) const {
  const model::Records& records = parts_.catalog->records();
  const topology::PlanContext context{records, records.overrides, parts_.clock.now()};
  v1::EndpointInfo info =
      explain::endpoint_info(topology::candidate_of(context, endpoint), context.now, parts_.clock.unix_seconds());
  info.set_node(endpoint.node);
  info.set_namespace_(endpoint.namespace_);
  info.set_service(endpoint.service);
  info.mutable_labels()->insert(endpoint.labels.begin(), endpoint.labels.end());
  if (endpoint.health.state == model::HealthState::Pending) info.set_state("pending");
  for (const model::Port& port : endpoint.ports) *info.add_ports() = convert::to_wire(port);
  return info;
}

void Listing::write_names_condition(v1::Object& object) const {
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

void Listing::write_measured(v1::Object& object) const {
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

}  // namespace meshdns::app
