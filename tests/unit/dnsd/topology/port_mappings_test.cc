#include "dnsd/topology/port_mappings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dnsd/topology/planner.h"

namespace meshdns::topology {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class PortMappingsTest : public testing::Test {
 protected:
  PortMappingsTest() {
    planner_.configure({{"mesh.internal"}, ""}, [](const std::string&) { return false; });
    for (const char* key : {"eu-1/n1", "eu-1/n2", "us-1/n3"}) {
      model::Node& node = records_.nodes[key];
      node.key = key;
      const std::string text = key;
      node.locality = {.cluster = text.substr(0, 4), .node = text.substr(5)};
      add(key, "web");
    }
    add("eu-1/n1", "db");
  }

  void add(const std::string& node, const std::string& service) {
    model::Endpoint& out = records_.endpoints[node + "/" + service];
    out.key = node + "/" + service;
    out.node = node;
    out.namespace_ = "shop";
    out.service = service;
    out.addresses = {IpAddress::v4(0x0A000000 + static_cast<std::uint32_t>(records_.endpoints.size()))};
    out.ports = {{"http", 8080, "TCP", ""}};
    planner_.endpoint_entered(out);
  }
  void remove(const std::string& key) {
    planner_.endpoint_leaves(records_.endpoints.at(key));
    records_.endpoints.erase(key);
  }
  model::VirtualDestination& apply(const std::string& name, model::PortMapping port) {
    model::VirtualDestination& out = records_.destinations["shop/" + name];
    out.meta.name = name;
    out.meta.namespace_ = "shop";
    out.hosts = {name + ".mesh.internal"};
    out.services = {{"", "web", {}, {}, {}}};
    out.ports = {std::move(port)};
    planner_.destination_changed("shop/" + name);
    return out;
  }
  void withdraw(const std::string& name) {
    records_.destinations.erase("shop/" + name);
    planner_.destination_changed("shop/" + name);
  }
  std::vector<WantedMapping> of(const std::string& node) { return planner_.mappings().of_node(node); }
  std::set<std::string> changed() { return planner_.mappings().take(); }

  static model::PortMapping http(std::uint16_t number = 80, bool map_ports = true) {
    return {"http", number, "TCP", "http", "", map_ports};
  }

  model::Records records_;
  Planner planner_{records_};
};

TEST_F(PortMappingsTest, nothing_is_mapped_unless_an_object_wants_it) {
  apply("web", http(80, false));
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_THAT(of("eu-1/n1"), IsEmpty());
}

TEST_F(PortMappingsTest, each_endpoint_of_the_object_is_reached_at_its_number) {
  apply("web", http());
  EXPECT_THAT(changed(), UnorderedElementsAre("eu-1/n1", "eu-1/n2", "us-1/n3"));
  EXPECT_THAT(changed(), IsEmpty());
  EXPECT_THAT(of("eu-1/n1"), ElementsAre(WantedMapping{"eu-1/n1/web", "TCP", 80, 8080}));
  EXPECT_THAT(of("eu-1/n9"), IsEmpty());
}

TEST_F(PortMappingsTest, an_endpoint_that_listens_there_needs_no_mapping) {
  apply("web", http(8080));
  EXPECT_THAT(of("eu-1/n1"), IsEmpty());
}

TEST_F(PortMappingsTest, a_named_port_that_the_endpoint_lacks_is_not_mapped) {
  apply("web", {"http", 80, "TCP", "metrics", "", true});
  EXPECT_THAT(of("eu-1/n1"), IsEmpty());
  apply("web", {"http", 80, "UDP", "http", "", true});
  EXPECT_THAT(of("eu-1/n1"), IsEmpty()) << "its port is TCP";
  apply("web", {"http", 80, "UDP", "8080", "", true});
  EXPECT_THAT(of("eu-1/n1"), ElementsAre(WantedMapping{"eu-1/n1/web", "UDP", 80, 8080}));
}

TEST_F(PortMappingsTest, only_clusters_that_the_object_selects) {
  apply("web", http()).services.front().clusters = {"us-1"};
  EXPECT_THAT(changed(), ElementsAre("us-1/n3"));
  EXPECT_THAT(of("eu-1/n1"), IsEmpty());
  EXPECT_EQ(of("us-1/n3").size(), 1U);
}

TEST_F(PortMappingsTest, an_object_that_no_longer_wants_it_notes_the_nodes_that_it_had) {
  apply("web", http());
  changed();
  apply("web", http(80, false));
  EXPECT_THAT(changed(), UnorderedElementsAre("eu-1/n1", "eu-1/n2", "us-1/n3"));
  EXPECT_THAT(of("eu-1/n1"), IsEmpty());
  apply("web", http());
  changed();
  withdraw("web");
  EXPECT_EQ(changed().size(), 3U);
  EXPECT_THAT(of("eu-1/n1"), IsEmpty());
}

TEST_F(PortMappingsTest, a_change_costs_its_own_node_only) {
  apply("web", http());
  changed();
  planner_.endpoint_updated(records_.endpoints.at("eu-1/n2/web"));
  EXPECT_THAT(changed(), ElementsAre("eu-1/n2"));
  planner_.endpoint_updated(records_.endpoints.at("eu-1/n1/db"));
  EXPECT_THAT(changed(), IsEmpty()) << "no object maps its ports";
  remove("us-1/n3/web");
  EXPECT_THAT(changed(), ElementsAre("us-1/n3"));
  EXPECT_THAT(of("us-1/n3"), IsEmpty());
  add("us-1/n3", "web");
  EXPECT_THAT(changed(), ElementsAre("us-1/n3"));
  withdraw("web");
  EXPECT_EQ(changed().size(), 3U) << "the endpoint that came later counts, too";
}

TEST_F(PortMappingsTest, of_two_objects_with_one_number_the_older_has_it) {
  apply("a", {"http", 80, "TCP", "9090", "", true}).meta.created = 2;
  apply("b", http()).meta.created = 1;
  EXPECT_THAT(of("eu-1/n1"), ElementsAre(WantedMapping{"eu-1/n1/web", "TCP", 80, 8080}));
}

}  // namespace
}  // namespace meshdns::topology
