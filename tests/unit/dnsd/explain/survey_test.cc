#include "dnsd/explain/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/convert/object_convert.h"
#include "dnsd/answers/compile.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/explain/simulation.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::explain {
namespace {

using testing::ElementsAre;

/// web is in eu-1 and us-1, alone in eu-1 only, many0, many1, ... in both.
class SurveyTest : public testing::Test {
 protected:
  SurveyTest() {
    mesh.node("eu-1/n1");
    mesh.node("us-1/n1");
    add("web", {"eu-1/n1", "us-1/n1"});
    add("alone", {"eu-1/n1"});
    add("far", {"us-1/n1"});
  }
  void add(const std::string& service, const std::vector<std::string>& nodes) {
    for (const auto& node : nodes) mesh.endpoint(node, "shop/" + service, IpAddress::v4(0x0A000000 + ++number).text());
  }
  static v1::SimulateRequest down(const std::string& target) {
    v1::SimulateRequest request;
    v1::OverrideSpec& spec = *request.add_overrides();
    spec.set_action("Down");
    convert::set_target(spec, target);
    return request;
  }
  v1::SimulateReply survey(const v1::SimulateRequest& request) {
    topology::Planner planner(mesh.records);
    answers::configure(planner, answers::make_base(mesh.settings, {}));
    const auto table = mesh.table();
    catalog::Catalog catalog;
    for (const auto& [key, node] : mesh.records.nodes) catalog.mirror(node);
    for (const auto& [key, endpoint] : mesh.records.endpoints) catalog.mirror(endpoint);
    const Scene scene{catalog, planner, mesh.settings, *table, TimePoint{2h}, 0};
    Survey survey(scene, test::must(supposed(mesh.records.overrides, request)));
    std::size_t slices = 1;
    while (!survey.look(scene, 2)) ++slices;
    const std::size_t hosts = survey.reply().hosts_seen();
    const std::size_t endpoints = mesh.records.endpoints.size();
    EXPECT_GE(slices, hosts) << "no more than one host in so few steps";
    EXPECT_LE(slices, 2 + hosts + endpoints / 2);
    return survey.reply();
  }

  test::SmallMesh mesh;
  std::uint32_t number = 0;
};

TEST_F(SurveyTest, what_serves_nowhere_comes_first_and_who_is_not_concerned_is_not_looked_at) {
  const auto reply = survey(down("cluster=eu-1"));
  EXPECT_EQ(reply.hosts_all(), 3U);
  EXPECT_EQ(reply.hosts_seen(), 2U);
  EXPECT_EQ(reply.hosts_changed(), 2U);
  EXPECT_EQ(reply.hosts_empty(), 1U);
  ASSERT_EQ(reply.hosts_size(), 3) << reply.DebugString();
  EXPECT_EQ(reply.hosts(1).host(), "alone.shop.mesh.internal") << "from us-1 it was another tier";
  EXPECT_EQ(reply.hosts(0).host(), "alone.shop.mesh.internal");
  EXPECT_TRUE(reply.hosts(0).nothing_serves());
  EXPECT_EQ(reply.hosts(0).answer().after(), "nothing");
  EXPECT_EQ(reply.hosts(2).host(), "web.shop.mesh.internal");
  EXPECT_THAT(reply.hosts(2).answer().from(), ElementsAre("eu/zone-eu-1/eu-1"));
  EXPECT_EQ(reply.hosts(2).answer().before(), "tier 0 cluster+zone: 1 endpoint");
  EXPECT_EQ(reply.hosts(2).answer().after(), "tier 1 any us-1: 1 endpoint");
  EXPECT_THAT(reply.from(), ElementsAre("eu/zone-eu-1/eu-1", "us/zone-us-1/us-1"));
}

TEST_F(SurveyTest, places_with_the_same_change_are_one_row) {
  mesh.node("eu-2/n1");
  mesh.node("eu-3/n1");
  const auto reply = survey(down("service=shop/far"));
  ASSERT_EQ(reply.hosts_size(), 2) << reply.DebugString();
  EXPECT_EQ(reply.hosts(0).answer().from_size(), 3) << "all but its own cluster see it at the same distance";
}

TEST_F(SurveyTest, rows_are_bounded_and_counted) {
  for (int i = 0; i < 250; ++i) add("many" + std::to_string(i), {"eu-1/n1"});
  const auto reply = survey(down("cluster=eu-1"));
  EXPECT_EQ(reply.hosts_size(), static_cast<int>(Survey::kMostRows));
  EXPECT_EQ(reply.rows(), 503U) << "of 251 hosts seen from two places, and of web from one";
  EXPECT_EQ(reply.hosts_empty(), 251U);
}

TEST_F(SurveyTest, a_target_that_nothing_belongs_to_is_told_with_what_may_be_meant) {
  const auto reply = survey(down("cluster=eu1"));
  EXPECT_EQ(reply.rows(), 0U);
  EXPECT_THAT(reply.notes(), ElementsAre("no endpoint belongs to cluster=eu1 (did you mean \"eu-1\"?)"));
}

TEST_F(SurveyTest, clear_looks_at_what_overrides_have_done) {
  model::Override& word = mesh.records.overrides["o"];
  word.target = {model::TargetKind::Cluster, "eu-1"};
  word.action = model::Action::Down;
  v1::SimulateRequest request;
  request.set_clear(true);
  const auto reply = survey(request);
  EXPECT_EQ(reply.hosts_changed(), 2U);
  EXPECT_EQ(reply.hosts_empty(), 0U);
}

TEST(Supposed, what_is_no_target_is_refused) {
  v1::SimulateRequest request;
  request.add_overrides()->set_action("Down");
  EXPECT_FALSE(supposed({}, request));
  request.mutable_overrides(0)->mutable_target()->set_cluster("eu-1");
  EXPECT_TRUE(supposed({}, request));
  request.mutable_overrides(0)->set_action("Away");
  EXPECT_FALSE(supposed({}, request));
}

TEST(EndpointInfo, is_in_its_state_since_the_override_that_made_it_so) {
  topology::Candidate candidate;
  candidate.since = TimePoint{1h};
  EXPECT_EQ(endpoint_info(candidate, TimePoint{5h}, 1060).in_state().seconds(), 4 * 3600);
  candidate.said_at = 1000;
  EXPECT_EQ(endpoint_info(candidate, TimePoint{5h}, 1060).in_state().seconds(), 60);
  EXPECT_EQ(endpoint_info(candidate, TimePoint{5h}, 990).in_state().seconds(), 0) << "another machine's clock";
}

}  // namespace
}  // namespace meshdns::explain
