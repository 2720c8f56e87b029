#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/model/records.h"
#include "dnsd/answers/compile.h"

namespace meshdns::test {

/// Returns the value of a Result; aborts the test if there is none.
template <class T>
T must(Result<T> result) {
  MESHDNS_CHECK(result.has_value());
  return std::move(*result);
}

/// A mesh in memory and its answer table, for callers of the answer function itself: tests, fuzz targets, benchmarks.
/// Zone mesh.internal, serial 1000; hosts are automatic: web.shop.mesh.internal.
struct SmallMesh {
  SmallMesh() {
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.own_addresses = {must(IpAddress::parse("10.0.0.53"))};
    settings.listeners.push_back({"10.0.9.1:53", {}});
    settings.explain_allow = std::vector<Prefix>{must(Prefix::parse("10.0.0.0/8"))};
  }

  /// Adds a node. Its region is the part of the cluster's name before the first hyphen; its zone is "zone-" and the
  /// cluster's name.
  /// key:    "eu-1/n1"
  /// prefix: "10.0.0.0/16", of the node's clients; empty = none
  void node(const std::string& key, const std::string& prefix = "") {
    model::Node& node = records.nodes[key];
    node.key = key;
    node.locality.cluster = key.substr(0, key.find('/'));
    node.locality.node = key.substr(key.find('/') + 1);
    node.locality.region = key.substr(0, key.find('-'));
    node.locality.zone = "zone-" + node.locality.cluster;
    if (!prefix.empty()) node.prefixes.push_back(must(Prefix::parse(prefix)));
  }

  /// Adds a serving endpoint with the port http 8080.
  /// service:   "shop/web"
  /// addresses: "10.0.0.1" or "10.0.0.1,fd00::1"
  model::Endpoint& endpoint(const std::string& node, const std::string& service, const std::string& addresses) {
    model::Endpoint& endpoint = records.endpoints[node + "/" + service + "/" + addresses];
    endpoint.key = node + "/" + service + "/" + addresses;
    endpoint.node = node;
    endpoint.namespace_ = service.substr(0, service.find('/'));
    endpoint.service = service.substr(service.find('/') + 1);
    for (const auto text : split(addresses, ',')) endpoint.addresses.push_back(must(IpAddress::parse(text)));
    endpoint.ports.push_back({"http", 8080, "TCP", "http"});
    endpoint.health.state = model::HealthState::Serving;
    ++records.services[{endpoint.namespace_, endpoint.service}].endpoints;
    return endpoint;
  }

  /// Adds `count` endpoints 10.1.0.1, 10.1.0.2, ... of one service on one node.
  void endpoints(const std::string& node, const std::string& service, unsigned count) {
    for (unsigned i = 1; i <= count; ++i) endpoint(node, service, IpAddress::v4(0x0A010000 + i).text());
  }

  /// Adds a virtual destination with the host <name>.mesh.internal for the service of this name.
  /// returns: its policy
  model::Policy& destination(const std::string& name) {
    model::VirtualDestination& object = records.destinations["shop/" + name];
    object.meta.namespace_ = "shop";
    object.meta.name = name;
    object.hosts = {name + ".mesh.internal"};
    object.services.push_back({"", name, {}, {}});
    return object.policy;
  }

  /// Adds a static record, like "www 60 CNAME web.shop".
  void fixed(const std::string& record) { settings.static_records.push_back(record); }

  /// Compiles the answer table of the present records.
  std::shared_ptr<const answers::AnswerTable> table() const {
    const auto fixed_records = must(answers::parse_records(settings.static_records, {settings.zones[0].name}));
    return answers::compile({records, settings, fixed_records, {7, TimePoint{1h}}, 1000, false, false, TimePoint{2h}})
        .table;
  }

  answers::AnswerSettings settings;
  model::Records records;
};

/// Returns a mesh with one case of everything. Clients 10.0.0.0/16 are in eu-1, 10.2.0.0/16 in us-1; 192.0.2.53 is a
/// trusted forwarder.
///   web.shop   eu: 10.0.0.11 + fd00::11, 10.0.0.12; us: 10.2.0.11      three.shop  eu: 10.0.0.21 to .23
///   many.shop  12 in eu (an EDE note for 10.0.0.0/8)                   dead.shop   eu, failing
///   fenced     EDE 18 for clients that are nowhere; static records: www, out, txt, deep.er, *.wild
inline SmallMesh standard_mesh() {
  SmallMesh mesh;
  mesh.node("eu-1/n1", "10.0.0.0/16");
  mesh.node("us-1/n1", "10.2.0.0/16");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.11,fd00::11");
  mesh.endpoint("eu-1/n1", "shop/web", "10.0.0.12");
  mesh.endpoint("us-1/n1", "shop/web", "10.2.0.11");
  for (const char* last : {"21", "22", "23"}) {
    mesh.endpoint("eu-1/n1", "shop/three", std::string("10.0.0.") + last);
  }
  mesh.endpoints("eu-1/n1", "shop/many", 12);
  mesh.endpoint("eu-1/n1", "shop/dead", "10.0.0.31").health.state = model::HealthState::Failing;
  mesh.endpoint("eu-1/n1", "shop/fenced", "10.0.0.41");
  mesh.destination("fenced").ladder = {must(model::parse_rung("cluster"))};
  mesh.settings.forwarders.push_back({must(Prefix::parse("192.0.2.53/32")), model::Part::Cluster});
  for (const char* record : {"www 60 CNAME web.shop", "out 60 CNAME www.example.org.", "txt 30 TXT hello",
                             "deep.er 30 A 10.9.9.9", "*.wild 30 A 10.9.9.8"}) {
    mesh.fixed(record);
  }
  return mesh;
}

}  // namespace meshdns::test
