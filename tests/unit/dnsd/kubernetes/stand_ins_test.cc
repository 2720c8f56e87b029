#include "dnsd/federation/stand_ins.h"

#include <gtest/gtest.h>

#include "common/model/sources.h"
#include "tests/scenario/slices/cluster_bed.h"

namespace meshdns::test {
namespace {

// What the changes of owner look like is in tests/scenario/slices; here is how many revisions they take.

const ObjectOptions kSlice = {{"service", "web"}, {"u1", "10.0.0.1/n1//ready"}, {"u2", "10.0.0.2/n1//ready"}};

class StandInsTest : public testing::Test {
 protected:
  StandInsTest() {
    bed.list_everything();
    bed.put("node", "n1", {});
    bed.put("service", "web", {});
    bed.put("slice", "web-1", kSlice);
  }
  const std::string& source(const std::string& uid) {
    return bed.catalog.records().endpoints.at("eu-1/n1/pod/" + uid).source;
  }

  ClusterBed bed;
};

TEST_F(StandInsTest, pods_go_back_to_the_watcher_in_one_revision) {
  bed.connect("n1");
  bed.report("n1", {{"u1", {"10.0.0.1"}}, {"u2", {"10.0.0.2"}}, {"u9", {"10.0.0.9"}}});
  EXPECT_EQ(source("u1"), model::kPodSource);
  const std::uint64_t before = bed.catalog.revision();
  bed.leave("n1", true);
  EXPECT_EQ(bed.catalog.revision(), before + 1);
  EXPECT_EQ(source("u1"), model::kSliceSource);
  EXPECT_EQ(bed.catalog.records().endpoints.size(), 2U);
}

TEST_F(StandInsTest, a_pod_that_moves_between_nodes_has_one_record_in_every_revision) {
  bed.put("node", "n2", {});
  const std::uint64_t before = bed.catalog.revision();
  bed.put("slice", "web-1", {{"service", "web"}, {"u1", "10.0.0.1/n2//ready"}, {"u2", "10.0.0.2/n1//ready"}});
  EXPECT_EQ(bed.catalog.revision(), before + 1);
  EXPECT_FALSE(bed.catalog.records().endpoints.contains("eu-1/n1/pod/u1"));
  EXPECT_TRUE(bed.catalog.records().endpoints.contains("eu-1/n2/pod/u1"));
}

TEST_F(StandInsTest, an_agents_record_of_another_source_is_not_the_watchers) {
  bed.connect("n1");
  bed.report("n1", {{"u1", {"10.0.0.1", model::HealthState::Failing}}, {"u2", {"10.0.0.2"}}});
  bed.put("slice", "web-1", {{"service", "web"}, {"u1", "10.0.0.1/n1//ready"}});
  const auto& endpoints = bed.catalog.records().endpoints;
  EXPECT_EQ(endpoints.at("eu-1/n1/pod/u1").health.state, model::HealthState::Failing);
  EXPECT_TRUE(endpoints.at("eu-1/n1/pod/u2").memberships.empty());
}

TEST_F(StandInsTest, what_has_no_room_is_put_when_there_is_room) {
  bed.catalog.set_capacity(bed.catalog.size() + 1);
  bed.put("slice", "web-2", {{"service", "web"}, {"u3", "10.0.0.3/n1//ready"}, {"u4", "10.0.0.4/n1//ready"}});
  const auto refused = bed.agents.stand_ins().refused();
  EXPECT_GE(refused, 1U);
  EXPECT_NE(bed.agents.stand_ins().refusal().find("no room"), std::string::npos);
  bed.catalog.set_capacity(0);
  bed.advance(1s);
  EXPECT_EQ(bed.agents.stand_ins().refused(), 0U);
  EXPECT_TRUE(bed.catalog.records().endpoints.contains("eu-1/n1/pod/u3"));
  EXPECT_TRUE(bed.catalog.records().endpoints.contains("eu-1/n1/pod/u4"));
}

// A restart: the store has records of the watcher, some of which are gone meanwhile.
TEST(StandInsRestart, leftovers_go_with_the_first_list_and_not_before) {
  ClusterBed bed;
  const model::Node node{.key = "eu-1/n1", .locality = {.cluster = "eu-1", .node = "n1"}};
  bed.catalog.mirror(node);
  for (const char* uid : {"u1", "u7"}) {
    model::Endpoint endpoint;
    endpoint.key = std::string("eu-1/n1/pod/") + uid;
    endpoint.uid = uid;
    endpoint.node = node.key;
    endpoint.source = model::kSliceSource;
    endpoint.namespace_ = "shop";
    endpoint.addresses = {IpAddress::v4(0x0a000001)};
    endpoint.memberships = model::Memberships{{.service = "web", .ports = {}, .hostname = ""}};
    endpoint.health.state = model::HealthState::Serving;
    bed.catalog.mirror(endpoint);
  }
  bed.catalog.mirrored(1, bed.clock.now());
  bed.put("node", "n1", {});
  bed.put("service", "web", {});
  bed.put("slice", "web-1", {{"service", "web"}, {"u1", "10.0.0.1/n1//ready"}});
  EXPECT_EQ(bed.catalog.records().endpoints.size(), 2U);
  for (const char* kind : {"service", "slice", "node", "namespace"}) {
    bed.list(ClusterBed::kind_named(kind));
    if (std::string(kind) == "node") bed.put("node", "n1", {});
    if (std::string(kind) == "service") bed.put("service", "web", {});
    if (std::string(kind) == "slice") bed.put("slice", "web-1", {{"service", "web"}, {"u1", "10.0.0.1/n1//ready"}});
    bed.listed(ClusterBed::kind_named(kind));
  }
  EXPECT_EQ(bed.catalog.records().endpoints.size(), 2U);
  bed.without_exports();
  EXPECT_EQ(bed.catalog.records().endpoints.size(), 1U);
  EXPECT_TRUE(bed.catalog.records().endpoints.contains("eu-1/n1/pod/u1"));
}

}  // namespace
}  // namespace meshdns::test
