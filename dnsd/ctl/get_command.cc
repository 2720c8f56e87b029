#include <algorithm>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/table.h"
#include "dnsd/ctl/commands.h"
#include "dnsd/ctl/documents.h"
#include "dnsd/ctl/services_text.h"
#include "dnsd/ctl/views.h"

// The commands get and describe: listings, which come in pages.

namespace meshdns::ctl {
namespace {

bool is_of_objects(const std::string& kind) {
  return kind == "VirtualDestination" || kind == "Cluster" || kind == "Override";
}

std::uint64_t rows_in(const v1::ListReply& page) {
  return static_cast<std::uint64_t>(page.objects_size()) + static_cast<std::uint64_t>(page.nodes_size()) +
         static_cast<std::uint64_t>(page.endpoints_size());
}

/// Prints a listing page by page. The columns of a table are as wide as its first page needs.
class Printer {
 public:
  Printer(std::string kind, Output output, std::int64_t unix_seconds)
      : kind_(std::move(kind)), output_(output), unix_seconds_(unix_seconds), list_(output, field_of(kind_)) {}

  void print(const v1::ListReply& page, bool last) {
    if (!is_for_people(output_)) {
      std::cout << (is_of_objects(kind_) ? objects_.add(page, output_, last) : list_.add(page, last));
    } else if (!widths_) {
      std::cout << list_view({kind_, output_ == Output::Wide}, page, unix_seconds_);
      widths_ = list_table({kind_, output_ == Output::Wide}, page, unix_seconds_).widths();
    } else {
      std::cout << list_table({kind_, output_ == Output::Wide}, page, unix_seconds_).more_text(*widths_);
    }
    std::cout << std::flush;
  }

 private:
  static std::string field_of(const std::string& kind) { return kind == "Node" ? "nodes" : "endpoints"; }

  std::string kind_;
  Output output_;
  std::int64_t unix_seconds_;
  std::optional<std::vector<std::size_t>> widths_;
  ListDocument list_;
  ObjectDocuments objects_;
};

v1::ListRequest request_for(const ListSelection& what) {
  v1::ListRequest request;
  request.set_kind(what.kind);
  request.set_key(what.name);
  request.set_service(what.service);
  request.set_node(what.node);
  request.set_state(what.state);
  for (const std::string& label : what.labels) request.add_labels(label);
  return request;
}

/// Finds the rows of a listing whose text has changed, by key.
class Changes {
 public:
  /// Adds the changed rows of a page to the result of take().
  void look(const v1::ListReply& page) {
    for (const v1::NodeInfo& node : page.nodes()) {
      v1::NodeInfo lasting = node;
      lasting.clear_in_state();
      if (differs(node.key(), lasting.SerializeAsString())) *changed_.add_nodes() = node;
    }
    for (const v1::EndpointInfo& endpoint : page.endpoints()) {
      v1::EndpointInfo lasting = endpoint;
      lasting.clear_in_state();
      if (differs(endpoint.key(), lasting.SerializeAsString())) *changed_.add_endpoints() = endpoint;
    }
  }
  v1::ListReply take() { return std::exchange(changed_, v1::ListReply()); }

 private:
  bool differs(const std::string& key, std::string text) {
    std::string& known = known_[key];
    if (known == text) return false;
    known = std::move(text);
    return true;
  }

  std::map<std::string, std::string> known_;
  v1::ListReply changed_;
};

}  // namespace

int get_and_watch(AdminClient& client, const ListSelection& what, Output output, std::int64_t unix_seconds) {
  if (is_of_objects(what.kind) || !is_for_people(output)) {
    return fail(Error(Code::InvalidArgument,
                      "--watch shows nodes or endpoints as a table; meshdnsctl watch -o json "
                      "tells programs what changes"));
  }
  Changes changes;
  Printer printer(what.kind, output, unix_seconds);
  v1::EventsRequest events;
  events.set_wait(true);
  while (std::cout) {
    v1::ListRequest request = request_for(what);
    request.set_limit(AdminClient::kRows);
    do {
      const auto page = client.list(request);
      if (!page) return fail(page.error());
      changes.look(*page);
      request.set_continue_(page->continue_());
    } while (!request.continue_().empty());
    const v1::ListReply changed = changes.take();
    if (rows_in(changed) > 0) printer.print(changed, false);
    const auto reply = client.events(events);  // the server answers after a change, or after some seconds
    if (!reply) return fail(reply.error());
    events.set_after(reply->last());
  }
  return kFailed;  // nobody reads it any more
}

std::vector<std::string> names_of(AdminClient& client, const std::string& kind) {
  std::vector<std::string> out;
  v1::ListRequest request;
  const bool of_nodes = kind == "Node" || kind == "zone" || kind == "Cluster";
  request.set_kind(kind == "host" ? "VirtualDestination" : kind == "service" ? "Endpoint" : of_nodes ? "Node" : kind);
  request.set_limit(AdminClient::kRows);
  const auto page = client.list(request);
  if (!page) return out;
  for (const v1::NodeInfo& node : page->nodes()) {
    const auto& place = node.locality();
    out.push_back(kind == "Node" ? node.key() : kind == "zone" ? place.zone() : place.cluster());
  }
  for (const v1::EndpointInfo& endpoint : page->endpoints()) {
    if (kind != "service") out.push_back(endpoint.address());
    const auto services = kind == "service" ? services_of(endpoint) : std::vector<std::string>();
    out.insert(out.end(), services.begin(), services.end());
  }
  for (const v1::Object& object : page->objects()) {
    const v1::Metadata& metadata = object.metadata();
    const auto& hosts = object.virtual_destination().hosts();
    if (kind == "host") out.insert(out.end(), hosts.begin(), hosts.end());
    if (kind != "host")
      out.push_back((metadata.namespace_().empty() ? "" : metadata.namespace_() + "/") + metadata.name());
  }
  return out;
}

int get(AdminClient& client, const ListSelection& what, Output output, std::int64_t unix_seconds,
        const RowLimits& rows) {
  v1::ListRequest request = request_for(what);
  Printer printer(what.kind, output, unix_seconds);
  std::uint64_t shown = 0;
  for (bool last = false; !last;) {
    const std::uint64_t left = rows.most == 0 ? rows.page : rows.most - shown;
    request.set_limit(static_cast<std::uint32_t>(std::min<std::uint64_t>(rows.page, left)));
    const auto page = client.list(request);
    if (!page) return fail(page.error());
    shown += rows_in(*page);
    const bool enough = rows.most > 0 && shown >= rows.most;
    last = enough || page->continue_().empty();
    printer.print(*page, last);
    if (!std::cout) return kFailed;  // nobody reads it any more
    request.set_continue_(page->continue_());
  }
  if (!request.continue_().empty()) std::cerr << "there are more than these " << shown << "\n";
  return kOk;
}

int describe(AdminClient& client, const ListSelection& what, Output output, std::int64_t unix_seconds) {
  if (!is_for_people(output)) return get(client, what, output, unix_seconds, {});
  const auto reply = client.list(request_for(what));
  if (!reply) return fail(reply.error());
  for (const auto& node : reply->nodes()) std::cout << describe_node(node);
  for (const auto& endpoint : reply->endpoints()) std::cout << describe_endpoint(endpoint);
  for (const auto& object : reply->objects()) std::cout << describe_object(object);
  for (const auto& cluster : reply->undeclared()) std::cout << describe_cluster(cluster);
  return kOk;
}

}  // namespace meshdns::ctl
