#pragma once

#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "dnsd/answers/compile.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/explain/scene.h"
#include "dnsd/topology/planner.h"
#include "tests/support/mesh/small_mesh.h"
#include "tests/support/mesh/worlds.h"

namespace meshdns::test {

/// A whole random mesh from a seed: nodes in all kinds of places, endpoints in all states, clusters with gateways and
/// distances, overrides, and the host web.mesh.internal with any policy; and the answer table compiled from it. The
/// same seed gives the same mesh.
class RandomMesh {
 public:
  explicit RandomMesh(std::uint32_t seed) : draw_(seed, WorldDraw::Kind::Whole) {
    settings.zones.push_back({"mesh.internal", {}, ""});
    settings.listeners.push_back({"10.0.9.1:53", {}});
    settings.explain_allow = std::vector<Prefix>{must(Prefix::parse("0.0.0.0/0"))};
    catalog.observe(&planner);
    for (int i = 0; i < 6; ++i) add_node(i);
    for (int i = draw_.below(14); i > 0; --i) add_endpoint(i);
    for (const char* name : {"c1", "c2", "c3"}) add_cluster(name);
    for (int i = draw_.below(4); i > 0; --i) add_override(i);
    add_destination();
    catalog.mirrored(7, now);
    const answers::Base base = answers::make_base(settings, none_);
    answers::configure(planner, base);
    publish();
  }

  /// Compiles `table` from the present records.
  void publish() {
    table = answers::compile({.records = catalog.records(),
                              .settings = settings,
                              .static_records = none_,
                              .version = {catalog.revision(), catalog.changed()},
                              .now = now})
                .table;
  }
  /// Returns the mesh as `explain` sees it. This must outlive the result.
  explain::Scene scene(std::int64_t unix_seconds = 0) {
    return {catalog, planner, settings, *table, now, unix_seconds};
  }
  /// Returns one client address at each node, and one address that no node has.
  std::vector<std::string> clients() const {
    std::vector<std::string> out = {"192.0.2.77"};
    for (int i = 0; i < 6; ++i) out.push_back("10." + std::to_string(i) + ".0.9");
    return out;
  }

  static constexpr const char* kHost = "web.mesh.internal";
  const TimePoint now{2h};
  catalog::Catalog catalog;
  topology::Planner planner{catalog.records()};
  answers::AnswerSettings settings;
  std::shared_ptr<const answers::AnswerTable> table;

 private:
  std::string node_key(int number) { return "c" + std::to_string(1 + number % 3) + "/n" + std::to_string(number); }

  void add_node(int number) {
    model::Node node;
    node.key = node_key(number);
    node.locality = draw_.place();
    node.locality.cluster = node.key.substr(0, 2);
    node.locality.node = node.key.substr(3);
    node.prefixes = {must(Prefix::parse("10." + std::to_string(number) + ".0.0/16"))};
    catalog.mirror(node);
    if (draw_.one_in(6)) catalog.mirror(node.key, model::NodeStatus{draw_.one_in(2), true, now - 90s});
  }

  void add_endpoint(int number) {
    model::Endpoint out;
    out.node = node_key(draw_.below(6));
    out.key = out.node + "/e" + std::to_string(number);
    out.namespace_ = "shop";
    out.service = "web";
    if (!draw_.one_in(3)) out.labels.edit()["role"] = draw_.one_in(2) ? "primary" : "standby";
    out.addresses = {IpAddress::v4(0x0A640000U + static_cast<std::uint32_t>(number))};
    if (draw_.one_in(3)) out.addresses.push_back(must(IpAddress::parse("fd00::" + std::to_string(number))));
    out.ports = {{"http", 8080, "TCP", ""}};
    if (draw_.one_in(3)) {  // a pod that Services list
      out.service.clear();
      out.memberships = {{.service = "other", .exported = draw_.one_in(2)},
                         {.service = "web",
                          .ports = {{"http", 8080, "TCP", ""}},
                          .hostname = draw_.one_in(2) ? "web-" + std::to_string(number) : "",
                          .exported = draw_.one_in(2)}};
    }
    out.weight = static_cast<std::uint32_t>(draw_.below(3));
    out.health.state = draw_.one_in(2) ? model::HealthState::Serving : static_cast<model::HealthState>(draw_.below(4));
    out.health.since = now - std::chrono::seconds(draw_.below(60));
    out.health.in_doubt = draw_.one_in(8);
    catalog.mirror(out);
  }

  void add_cluster(const std::string& name) {
    model::Cluster out;
    out.meta.name = name;
    if (draw_.one_in(2)) out.locality.network = "net" + std::to_string(1 + draw_.below(3));
    for (const char* other : {"c1", "c2", "c3"}) {
      if (draw_.one_in(2)) out.distances[other] = std::chrono::milliseconds(draw_.below(3));
    }
    model::ClusterStatus status;
    for (int i = draw_.below(3); i > 0; --i) {
      const auto address = IpAddress::v4(0xC0A80000U + static_cast<std::uint32_t>(10 * i + name.back() - '0'));
      out.gateways.push_back({address, {{"http", 80, "TCP", ""}}});
      if (draw_.one_in(3)) status.gateways_down.insert(address);
    }
    catalog.mirror(out);
    if (!status.empty()) catalog.mirror("c" + std::to_string(1 + draw_.below(3)), status);
  }

  void add_override(int number) {
    model::Override out;
    out.meta.name = "o" + std::to_string(number);
    out.action = static_cast<model::Action>(draw_.below(3));
    out.reason = "why not";
    const std::vector<model::OverrideTarget> targets = {{model::TargetKind::Cluster, "c1"},
                                                        {model::TargetKind::Node, node_key(draw_.below(6))},
                                                        {model::TargetKind::Zone, "z2"},
                                                        {model::TargetKind::Service, "shop/web"},
                                                        {model::TargetKind::Endpoint, "10.100.0.3"}};
    out.target = targets[static_cast<std::size_t>(draw_.below(static_cast<int>(targets.size())))];
    catalog.mirror(out);
  }

  void add_destination() {
    model::VirtualDestination out;
    out.meta.name = "web";
    out.meta.namespace_ = "shop";
    out.hosts = {kHost};
    out.services.push_back({"", "web", {}, {}, {}});
    out.policy = draw_.policy();
    if (out.policy.ladder.empty()) out.policy.ladder = model::default_ladder();
    catalog.mirror(out);
  }

  WorldDraw draw_;
  const std::vector<answers::StaticRecord> none_;
};

}  // namespace meshdns::test
