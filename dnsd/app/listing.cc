#include "dnsd/app/listing.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/text.h"
#include "common/convert/object_convert.h"
#include "common/convert/report_convert.h"
#include "common/model/lookup.h"
#include "dnsd/app/conditions.h"
#include "dnsd/app/find_key.h"
#include "dnsd/app/listing_filter.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/topology/plan.h"
#include "dnsd/topology/words.h"

namespace meshdns::dnsd::app {

/// A page that is being made, over several slices.
struct Listing::Page {
  v1::ListRequest request;
  Done done;
  PageFill fill;
  v1::ListReply reply{};
  std::string after{};  // the last key that was shown, in this page or before
  bool more = false;    // rows are left for the next page
  std::unique_ptr<Conditions> conditions{};
  ListingFilter filter{};
  std::string exact{};  // the key of the only row; empty = the filter chooses rows

  bool is_of_objects() const {
    return request.kind() == "VirtualDestination" || request.kind() == "Cluster" || request.kind() == "Override";
  }
  bool is_empty() const {
    return reply.nodes().empty() && reply.endpoints().empty() && reply.objects().empty() && reply.undeclared().empty();
  }
};

namespace {

/// Adds rows to a page until the page is full or `belongs` says that a key is no longer of the listing.
/// make:    returns the row of a record; nothing = the record is not wanted
/// returns: false = the slice is over; true = the page is made
template <class Page, class Map, class Rows, class Belongs, class Make>
bool add_rows(Page& page, const Map& map, Rows& rows, Slice& slice, Belongs belongs, Make make) {
  const bool one = !page.exact.empty();
  for (auto at = one ? map.find(page.exact) : map.upper_bound(page.after); at != map.end() && belongs(at->first);
       ++at) {
    page.more = page.fill.full();
    if (page.more) return true;
    if (!slice.take()) return false;
    if (auto row = make(at->second)) {
      page.more = !page.fill.add(row->ByteSizeLong());
      if (page.more) return true;
      *rows.Add() = *std::move(row);
    }
    page.after = at->first;
    if (one) break;
  }
  return true;
}

constexpr auto kAll = [](const std::string&) { return true; };

}  // namespace

void Listing::list(const v1::ListRequest& request, const Done& done) {
  const auto page = std::make_shared<Page>(Page{request, done, PageFill({request.limit(), bytes_})});
  const bool known = request.kind() == "Node" || request.kind() == "Endpoint" || page->is_of_objects();
  if (!known) return done(Error(Code::InvalidArgument, "there is no kind " + request.kind()));
  const bool exact = has_key(request);
  auto filter = ListingFilter::of(request, exact);
  if (!filter) return done(filter.error());
  if (exact) page->exact = page->is_of_objects() ? request.kind() + "/" + request.key() : request.key();
  page->filter = *std::move(filter);
  page->reply.set_first_revision(env_.mesh.catalog.revision());
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
    page.done(
        Error(Code::NotFound, page.request.kind() + " " + page.request.key() + " not found" + meant(page.request)));
    return true;
  }
  page.reply.set_frozen(topology::frozen_text(env_.mesh.catalog.records().overrides));
  page.reply.set_revision(env_.mesh.catalog.revision());
  if (page.more)
    page.reply.set_continue_(Continue{page.request.kind(), page.reply.first_revision(), page.after}.text());
  page.done(std::move(page.reply));
  return true;
}

bool Listing::has_key(const v1::ListRequest& request) const {
  const model::Records& records = env_.mesh.catalog.records();
  if (request.kind() == "Node") return records.nodes.contains(request.key());
  if (request.kind() == "Endpoint") return records.endpoints.contains(request.key());
  return env_.mesh.objects.all().contains(request.kind() + "/" + request.key());
}

std::string Listing::meant(const v1::ListRequest& request) const {
  const model::Records& records = env_.mesh.catalog.records();
  if (request.kind() == "Node") return meant_key(records.nodes, request.key());
  if (request.kind() == "Endpoint") return meant_key(records.endpoints, request.key());
  return meant_key(env_.mesh.objects.all(), request.key(), request.kind() + "/");
}

bool Listing::look_at_nodes(Page& page, Slice& slice) {
  const auto make = [&](const model::Node& node) {
    return page.filter.wants(node.key) ? std::optional(node_info(node)) : std::nullopt;
  };
  return add_rows(page, env_.mesh.catalog.records().nodes, *page.reply.mutable_nodes(), slice, kAll, make);
}

bool Listing::look_at_endpoints(Page& page, Slice& slice) {
  const auto make = [&](const model::Endpoint& endpoint) -> std::optional<v1::EndpointInfo> {
    if (!page.filter.wants(endpoint)) return std::nullopt;
    v1::EndpointInfo row = endpoint_info(endpoint);
    return page.filter.wants_state(row.state()) ? std::optional(std::move(row)) : std::nullopt;
  };
  return add_rows(page, env_.mesh.catalog.records().endpoints, *page.reply.mutable_endpoints(), slice, kAll, make);
}

bool Listing::look_at_objects(Page& page, Slice& slice) {
  if (!env_.mesh.names.learn(slice)) return false;
  if (page.conditions == nullptr) {
    page.conditions = std::make_unique<Conditions>(env_.mesh.catalog, env_.mesh.publisher, env_.mesh.counts,
                                                   env_.mesh.names.names(), env_.mesh.clock.now());
  }
  const auto& objects = env_.mesh.objects.all();
  const std::string kind = page.request.kind() + "/";
  const auto make = [&](v1::Object object) -> std::optional<v1::Object> {
    // the key in `objects` of a replica's local override has a prefix, which its name in the listing has not
    if (!page.filter.wants(convert::object_key(object).substr(kind.size()))) return std::nullopt;
    page.conditions->write(object);
    if (object.has_cluster()) write_measured(object.metadata().name(), *object.mutable_status());
    if (object.has_virtual_destination()) write_names_condition(object);
    return object;
  };
  if (page.after.empty()) page.after = kind;  // keys of all kinds are in one map: begin at the kind's first key
  const auto of_kind = [&](const std::string& of) { return of.starts_with(kind); };
  if (!add_rows(page, objects, *page.reply.mutable_objects(), slice, of_kind, make)) return false;
  if (page.request.kind() == "Cluster" && !page.more) add_undeclared(page);
  return true;
}

void Listing::add_undeclared(Page& page) const {
  const model::Records& records = env_.mesh.catalog.records();
  for (auto at = records.nodes.begin(); at != records.nodes.end();) {
    const std::string cluster = at->second.locality.cluster;
    const std::uint32_t nodes = env_.mesh.counts.nodes_of(cluster);
    if (!records.clusters.contains(cluster) && page.filter.wants(cluster)) {
      v1::ClusterInfo& info = *page.reply.add_undeclared();
      info.set_name(cluster);
      info.set_nodes(nodes);
      *info.mutable_locality() = convert::to_wire(at->second.locality);
      info.mutable_locality()->clear_node();
      write_measured(cluster, info);
    }
    at = records.nodes.lower_bound(cluster + "0");  // '0' follows '/' in ASCII: skips the other nodes
  }
}

v1::NodeInfo Listing::node_info(const model::Node& node) const {
  const model::Records& records = env_.mesh.catalog.records();
  const std::string& key = node.key;
  v1::NodeInfo out;
  out.set_key(key);
  *out.mutable_locality() = convert::to_wire(model::locality_of(records, key));
  for (const IpAddress& address : node.addresses) out.add_addresses(address.text());
  for (const Prefix& prefix : node.prefixes) out.add_prefixes(prefix.text());
  out.set_endpoints(env_.mesh.counts.endpoints_of(key));
  const model::NodeStatus* status = model::status_of(records, key);
  const bool unheard = status != nullptr && (status->silent || status->in_doubt);
  if (status != nullptr) out.set_problem(status->problem);
  if (unheard) {
    out.set_state(status->silent ? "silent" : !status->held.empty() ? "held" : "late");
    const Duration length = std::max(Duration::zero(), env_.mesh.clock.now() - status->since);
    *out.mutable_in_state() = convert::to_wire(length);
  } else {
    out.set_state(env_.source.node_state(key));
  }
  return out;
}

v1::EndpointInfo Listing::endpoint_info(const model::Endpoint& endpoint) const {
  const model::Records& records = env_.mesh.catalog.records();
  const topology::PlanContext context{records, env_.mesh.publisher.planner().claims(), records.overrides,
                                      env_.mesh.clock.now()};
  v1::EndpointInfo info =
      explain::endpoint_info(topology::candidate_of(context, endpoint), context.now, env_.mesh.clock.unix_seconds());
  explain::write_record(endpoint, info);
  if (endpoint.health.state == model::HealthState::Pending) info.set_state("pending");
  return info;
}

void Listing::write_names_condition(v1::Object& object) const {
  const std::string key = object.metadata().namespace_() + "/" + object.metadata().name();
  const auto& destinations = env_.mesh.catalog.records().destinations;
  const auto found = destinations.find(key);
  if (!env_.hostnames.started() || found == destinations.end()) return;
  const auto has_name = [](const model::ExternalEndpoint& external) { return !external.hostname.empty(); };
  if (std::ranges::none_of(found->second.external_endpoints, has_name)) return;
  const auto problems = env_.hostnames.problems_of(found->second);
  v1::Condition& resolved = *object.mutable_status()->add_conditions();
  resolved.set_type("NamesResolved");
  resolved.set_status(problems.empty() ? "True" : "False");
  resolved.set_reason(problems.empty() ? "AllResolved" : "NameNotResolved");
  resolved.set_message(problems.empty() ? "every hostname has addresses" : join(problems, "; "));
}

template <class Out>
void Listing::write_measured(const std::string& cluster, Out& out) const {
  const auto& statuses = env_.mesh.catalog.records().cluster_statuses;
  const auto found = statuses.find(cluster);
  if (found == statuses.end()) return;
  for (const auto& [to, far] : found->second.distances) (*out.mutable_distances())[to] = convert::to_wire(far);
  for (const IpAddress& address : found->second.gateways_down) out.add_gateways_down(address.text());
}

}  // namespace meshdns::dnsd::app
