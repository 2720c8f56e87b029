#include "dnsd/topology/host_part.h"

#include <gmock/gmock.h>

#include "tests/unit/dnsd/topology/plan_fixture.h"

namespace meshdns::topology {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Names = std::vector<std::string>;

class HostPartTest : public PlanFixture {
 protected:
  HostPartTest() {
    endpoint_.ports = {{"app", 7070, "TCP", ""}};
    endpoint_.labels = {{"tier", "front"}};
    endpoint_.memberships = {
        {.service = "api", .ports = {{"grpc", 9000, "TCP", ""}, {"http", 8000, "TCP", ""}}, .hostname = "api-0"},
        {.service = "web", .ports = {{"http", 8080, "TCP", ""}}, .not_ready_too = true}};
  }
  static model::VirtualDestination object(std::vector<model::ServiceSelector> selectors) {
    model::VirtualDestination out;
    out.meta.namespace_ = "shop";
    out.services = std::move(selectors);
    return out;
  }
  Names ports(const HostPart& part) const {
    Names out;
    part.for_each_port(endpoint_, [&](const model::Port& port) {
      out.push_back(port.name + ":" + std::to_string(port.number));
    });
    return out;
  }

  model::Endpoint& endpoint_ = add("eu-1/n1", "pod/u1", "");
  const model::ServiceSelector web_{"", "web", {}, {}, {}};
  const model::ServiceSelector front_{"", "", {}, {{"tier", "front"}}, {}};
};

TEST_F(HostPartTest, each_host_has_the_ports_by_which_it_has_the_endpoint) {
  EXPECT_THAT(ports(HostPart("api")), ElementsAre("grpc:9000", "http:8000"));
  EXPECT_THAT(ports(HostPart("web")), ElementsAre("http:8080"));
  const auto by_name = object({web_});
  const auto by_labels = object({front_});
  const auto by_both = object({web_, front_});
  EXPECT_THAT(ports({records_, by_name}), ElementsAre("http:8080", "app:7070"));
  EXPECT_THAT(ports({records_, by_labels}), ElementsAre("app:7070", "grpc:9000"));
  EXPECT_THAT(ports({records_, by_both}), ElementsAre("http:8080", "app:7070", "grpc:9000"));
}

TEST_F(HostPartTest, a_selector_for_other_clusters_adds_nothing) {
  model::ServiceSelector elsewhere = web_;
  elsewhere.clusters = {"us-1"};
  const auto there = object({elsewhere, front_});
  EXPECT_THAT(ports({records_, there}), ElementsAre("app:7070", "grpc:9000"));
  EXPECT_FALSE(HostPart(records_, there).not_ready_too(endpoint_));
  elsewhere.clusters = {"EU-1"};
  const auto here = object({elsewhere});
  EXPECT_TRUE(HostPart(records_, here).not_ready_too(endpoint_));
}

TEST_F(HostPartTest, hostname_and_flag_are_of_the_membership) {
  EXPECT_EQ(HostPart("api").hostname(endpoint_), "api-0");
  EXPECT_EQ(HostPart("web").hostname(endpoint_), "");
  EXPECT_FALSE(HostPart("api").not_ready_too(endpoint_));
  EXPECT_TRUE(HostPart("WEB").not_ready_too(endpoint_));
}

TEST_F(HostPartTest, published_while_not_ready_whatever_the_health) {
  AddressClaims claims(records_);
  const Overrides none;
  const PlanContext context{records_, claims, none, TimePoint{1h}};
  using enum model::HealthState;
  for (const auto state : {Pending, Serving, Draining, Failing}) {
    endpoint_.health.state = state;
    endpoint_.health.detail = state == Serving ? "" : "why";
    const Candidate candidate = HostPart("web").candidate_of(context, endpoint_);
    EXPECT_EQ(candidate.standing, Standing::Serving);
    EXPECT_TRUE(candidate.known);
    EXPECT_EQ(candidate.why, state == Serving ? "" : "published while not ready: why");
    EXPECT_EQ(HostPart("web").standing_of(context, endpoint_), Standing::Serving);
    EXPECT_EQ(HostPart("api").standing_of(context, endpoint_), standing_of(context, endpoint_));
  }
  records_.statuses["eu-1/n1"].silent = true;
  EXPECT_EQ(HostPart("web").standing_of(context, endpoint_), Standing::Silent);
}

TEST_F(HostPartTest, the_port_that_is_shown_is_the_hosts) {
  AddressClaims claims(records_);
  const Overrides none;
  const PlanContext context{records_, claims, none, TimePoint{1h}};
  EXPECT_EQ(HostPart("web").candidate_of(context, endpoint_).port, 8080);
  EXPECT_EQ(HostPart("api").candidate_of(context, endpoint_).port, 9000);
  EXPECT_EQ(candidate_of(context, endpoint_).port, 7070);
}

TEST_F(HostPartTest, without_services_it_is_in_no_host_and_harms_none) {
  endpoint_.memberships.clear();
  endpoint_.ports.clear();
  EXPECT_THAT(plan().hosts, testing::SizeIs(0));
  EXPECT_THAT(plan().conflicts, IsEmpty());
}

// The planner hears of memberships like of any other change: groups, hosts and overrides follow.
TEST_F(HostPartTest, the_planner_follows_a_change_of_memberships) {
  Planner planner(records_);
  planner.configure(naming_, [](const std::string&) { return false; });
  records_.services[{"shop", "web"}].endpoints = records_.services[{"shop", "api"}].endpoints = 1;
  for (const auto& [key, service] : records_.services) planner.service_changed(key);
  const auto candidates = [&](const std::string& host) { return planner.plan(host, TimePoint{1h})->candidates.size(); };
  EXPECT_EQ(candidates("web.shop.mesh.internal"), 1U);
  EXPECT_EQ(candidates("api.shop.mesh.internal"), 1U);
  planner.take(TimePoint{1h});
  planner.endpoint_leaves(endpoint_);
  endpoint_.memberships = {{.service = "api"}};
  planner.endpoint_entered(endpoint_);
  EXPECT_EQ(candidates("web.shop.mesh.internal"), 0U);
  EXPECT_EQ(candidates("api.shop.mesh.internal"), 1U);
  std::vector<std::string> touched;
  for (const HostPlan& host : planner.take(TimePoint{1h}).put) touched.push_back(host.name);
  EXPECT_THAT(touched, ElementsAre("api.shop.mesh.internal", "web.shop.mesh.internal"));
}

}  // namespace
}  // namespace meshdns::topology
