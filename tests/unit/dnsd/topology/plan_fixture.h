#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dnsd/topology/planner.h"

namespace meshdns::topology {

/// All hosts of some records.
struct Plan {
  std::vector<HostPlan> hosts;  // by name
  std::vector<Conflict> conflicts;
};

/// Records of two clusters with a node each, and what is planned from them.
class PlanFixture : public testing::Test {
 protected:
  PlanFixture() {
    add_node("eu-1", "n1");
    add_node("us-1", "n2");
  }

  void add_node(const std::string& cluster, const std::string& name) {
    model::Node& node = records_.nodes[cluster + "/" + name];
    node.key = cluster + "/" + name;
    node.locality.cluster = cluster;
    node.locality.node = name;
  }
  model::Endpoint& add(const std::string& node, const std::string& key, const std::string& service = "web") {
    model::Endpoint& out = records_.endpoints[node + "/" + key];
    out.key = node + "/" + key;
    out.node = node;
    out.namespace_ = "shop";
    out.service = service;
    out.addresses = {IpAddress::v4(0x0A00000B)};
    out.ports = {{"http", 8080, "TCP", ""}};
    out.health.state = model::HealthState::Serving;
    ++records_.services[{"shop", service}].endpoints;
    return out;
  }
  Plan plan() const {
    Planner planner(records_);
    planner.configure(naming_, [](const std::string& name) { return name == "static.mesh.internal"; });
    return {planner.take(TimePoint{1h}).put, planner.conflicts()};
  }
  HostPlan host(const std::string& name) const {
    for (const HostPlan& entry : plan().hosts) {
      if (entry.name == name) return entry;
    }
    ADD_FAILURE() << "no host " << name;
    return {};
  }

  model::Records records_;
  HostNaming naming_{.zones = {"mesh.internal"}};
};

}  // namespace meshdns::topology
