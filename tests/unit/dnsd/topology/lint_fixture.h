#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "dnsd/topology/lint.h"

namespace meshdns::topology {

/// web in eu-1 (eu, eu-a) and us-1 (us, us-a), reached at 8080; an object for it that is right.
class LintTest : public testing::Test {
 protected:
  LintTest() {
    add_node("eu-1", "eu", "eu-a");
    add_node("us-1", "us", "us-a");
    add_endpoint("eu-1", "10.0.0.11", "primary");
    add_endpoint("us-1", "10.2.0.11", "standby");
    object.meta.name = "web";
    object.meta.namespace_ = "shop";
    object.hosts = {"web.mesh.internal"};
    object.services = {{"", "web", {}, {}, {}}};
    object.ports = {{"http", 8080, "TCP", "", ""}};
  }

  void add_node(const std::string& cluster, const std::string& region, const std::string& zone) {
    model::Node& node = records.nodes[cluster + "/n1"];
    node.key = cluster + "/n1";
    node.locality = {.region = region, .zone = zone, .cluster = cluster, .node = "n1"};
  }
  void add_endpoint(const std::string& cluster, const std::string& address, const std::string& role) {
    model::Endpoint& out = records.endpoints[cluster + "/n1/" + address];
    out.key = cluster + "/n1/" + address;
    out.node = cluster + "/n1";
    out.namespace_ = "shop";
    out.service = "web";
    out.labels.edit()["role"] = role;
    out.addresses = {IpAddress::parse(address).value()};
    out.ports = {{"http", 8080, "TCP", ""}};
    out.health.state = model::HealthState::Serving;
    ++records.services[{"shop", "web"}].endpoints;
  }

  static std::string_view name_of(Severity severity) {
    return std::array{"advice", "warning", "error"}[static_cast<std::size_t>(severity)];
  }
  template <class Object>
  std::vector<std::string> lint_of(const Object& looked_at) {
    Planner planner(records);
    planner.configure({.zones = {"mesh.internal"}}, [](const std::string&) { return false; });
    const KnownNames names(records);
    const LintScene scene{records, planner, names, {"mesh.internal"}, coarse, TimePoint{1h}, companions, "eu-1"};
    std::vector<std::string> out;
    for (const Finding& finding : lint(scene, looked_at)) {
      out.push_back(std::string(name_of(finding.severity)) + " " + finding.path + ": " + finding.message);
    }
    return out;
  }
  std::vector<std::string> found() { return lint_of(object); }
  void expect_one(const std::string& text) { EXPECT_THAT(found(), testing::ElementsAre(testing::HasSubstr(text))); }

  model::Records records;
  model::VirtualDestination object;
  bool coarse = false;
  Companions companions;
};

}  // namespace meshdns::topology
