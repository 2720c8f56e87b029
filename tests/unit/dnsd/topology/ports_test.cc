#include "dnsd/topology/ports.h"

#include <gmock/gmock.h>

#include "common/model/limits.h"
#include "dnsd/topology/lint.h"
#include "tests/support/cost.h"
#include "tests/unit/dnsd/topology/plan_fixture.h"

namespace meshdns::topology {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class PortsTest : public PlanFixture {
 protected:
  /// An endpoint with ports `first`, `first` + 1, ...
  void add_with_ports(const std::string& node, const std::string& key, int first, int count) {
    model::Ports ports;
    for (int i = 0; i < count; ++i) {
      ports.push_back({"p" + std::to_string(first + i), static_cast<std::uint16_t>(1000 + i), "TCP", ""});
    }
    add(node, key).ports = ports;
  }
  static std::vector<std::string> names(const HostPlan& host) {
    std::vector<std::string> out;
    for (const HostPort& port : host.ports) out.push_back(port.name);
    return out;
  }
};

TEST_F(PortsTest, each_endpoint_has_its_own_number_of_each_name) {
  add("eu-1/n1", "a").ports = {{"http", 8080, "TCP", ""}, {"sip", 5060, "UDP", ""}};
  add("us-1/n2", "b").ports = {{"sip", 5061, "TCP", ""}, {"http", 8081, "TCP", "https"}};
  const HostPlan plan = host("web.shop.mesh.internal");
  EXPECT_THAT(plan.ports, ElementsAre(HostPort{"http", "TCP", 0, "https"}, HostPort{"sip", "UDP", 0, ""},
                                      HostPort{"sip", "TCP", 0, ""}));
  EXPECT_THAT(plan.candidates[0].ports, ElementsAre(8080, 5060, 0));
  EXPECT_THAT(plan.candidates[1].ports, ElementsAre(8081, 0, 5061));
  EXPECT_THAT(plan.refused_ports, IsEmpty());
}

TEST_F(PortsTest, a_mapping_leads_to_numbers_and_names) {
  model::VirtualDestination& object = records_.destinations["shop/app"];
  object.meta = {"app", "shop", 1, "", "cli"};
  object.hosts = {"app.mesh.internal"};
  object.services = {{"", "web", {}, {}, {}}};
  object.ports = {{"http", 80, "TCP", "main", ""}, {"fixed", 443, "TCP", "8443", ""}, {"same", 53, "UDP", "", "dns"}};
  add("eu-1/n1", "a").ports = {{"main", 8080, "TCP", ""}, {"tls", 8443, "TCP", "https"}};
  add("us-1/n2", "b").ports = {{"main", 8081, "UDP", "x"}, {"alt", 8443, "UDP", "y"}};
  const HostPlan plan = host("app.mesh.internal");
  EXPECT_THAT(plan.ports, ElementsAre(HostPort{"http", "TCP", 80, ""}, HostPort{"fixed", "TCP", 443, "https"},
                                      HostPort{"same", "UDP", 53, "dns"}));
  EXPECT_THAT(plan.candidates[0].ports, ElementsAre(8080, 8443, 53));
  EXPECT_THAT(plan.candidates[1].ports, ElementsAre(0, 8443, 53));
}

// One node that makes up names takes no place from a name that others have.
TEST_F(PortsTest, a_host_has_at_most_64_names_and_the_others_are_told) {
  for (int i = 0; i < 3; ++i) add_with_ports("eu-1/n1", "a" + std::to_string(i), 100 * i, 64);
  add("eu-1/n1", "z").ports = {{"zz", 80, "TCP", ""}};
  add("us-1/n2", "z").ports = {{"zz", 80, "TCP", ""}};
  const HostPlan plan = host("web.shop.mesh.internal");
  EXPECT_THAT(plan.ports, SizeIs(model::kMostPorts));
  EXPECT_EQ(plan.ports.back().name, "zz");
  EXPECT_THAT(plan.refused_ports, SizeIs(3 * 64 + 1 - model::kMostPorts));
  EXPECT_THAT(plan.refused_ports, testing::Contains("_p99999._tcp").Times(0));
  for (const Candidate& candidate : plan.candidates) EXPECT_THAT(candidate.ports, SizeIs(model::kMostPorts));
  EXPECT_THAT(port_advice(plan), ElementsAre(HasSubstr("129 port names beyond the 64 that a host may have")));
}

TEST_F(PortsTest, the_names_are_the_same_whatever_the_order_of_endpoints) {
  for (int i = 0; i < 3; ++i) add_with_ports("eu-1/n1", "a" + std::to_string(i), 100 * i, 64);
  std::vector<const model::Endpoint*> endpoints;
  for (const auto& [key, endpoint] : records_.endpoints) endpoints.push_back(&endpoint);
  const HostPart part("web");
  const auto refused = NamedPorts(endpoints, part).refused();
  std::ranges::reverse(endpoints);
  EXPECT_EQ(NamedPorts(endpoints, part).refused(), refused);
}

// Guards against an endpoint without an address, which no check lets in: nothing of it is answered.
TEST_F(PortsTest, an_endpoint_without_an_address_is_out) {
  add("eu-1/n1", "a").addresses.clear();
  const HostPlan plan = host("web.shop.mesh.internal");
  EXPECT_EQ(plan.candidates[0].standing, Standing::Out);
  EXPECT_TRUE(plan.candidates[0].displaced);
  EXPECT_FALSE(plan.candidates[0].known);
  EXPECT_EQ(plan.candidates[0].why, "has no address");
}

// Guards the control thread: 400 endpoints with 64 names each held it for 5 s.
TEST_F(PortsTest, planning_costs_by_the_number_of_endpoints) {
  const auto cost = [&](int endpoints) {
    records_.endpoints.clear();
    for (int i = 0; i < endpoints; ++i) add_with_ports("eu-1/n1", std::to_string(i), 64 * i, 64);
    std::vector<const model::Endpoint*> all;
    for (const auto& [key, endpoint] : records_.endpoints) all.push_back(&endpoint);
    const HostPart part("web");
    return test::cpu_seconds([&] {
      const NamedPorts named(all, part);
      for (const model::Endpoint* endpoint : all) named.numbers_of(*endpoint);
    });
  };
  const double one = cost(100);
  const double two = cost(200);
  const double four = cost(400);
  EXPECT_LT(four, one * test::kMostForFourTimes) << "100: " << one << " s, 200: " << two << " s, 400: " << four << " s";
}

}  // namespace
}  // namespace meshdns::topology
