// A mesh of a file, looked at without any server.
#include "dnsd/explain/offline_mesh.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/whole_file.h"
#include "common/config/load.h"
#include "dnsd/explain/explanation.h"
#include "dnsd/explain/findings.h"
#include "tests/support/mesh/small_mesh.h"

namespace meshdns::explain {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<OfflineMesh> example() {
  const auto text = test::must(read_file("packaging/examples/mesh.yaml"));
  const auto file = config::load_mesh(text, "mesh.yaml");
  return OfflineMesh::of(*file, {"mesh.internal"}, TimePoint{1h}, 1000);
}

TEST(OfflineMesh, answers_as_a_server_with_the_file_would) {
  const auto mesh = example();
  v1::ExplainRequest request;
  request.set_host("App-B.mesh.internal.");
  request.set_client("10.0.0.9");
  const auto reply = test::must(explain(mesh->scene(), request));
  EXPECT_EQ(reply.place(), "eu/eu-a/eu-1");
  EXPECT_EQ(reply.reason(), "by node prefix 10.0.0.0/24 (eu1-n1)");
  EXPECT_THAT(reply.answer(), ElementsAre("10.0.1.12", "10.0.1.13"));
  EXPECT_EQ(reply.answer_tier(), 1U);
  EXPECT_FALSE(reply.has_drawn_for());
  ASSERT_EQ(reply.advice_size(), 1);
  EXPECT_EQ(reply.advice(0),
            "A and AAAA carry no port: 4 of 4 endpoints listen on 8080, not on 80; SRV and SVCB tell it");
  request.set_host("nobody.mesh.internal");
  EXPECT_EQ(explain(mesh->scene(), request).error().code(), Code::NotFound);
  request.set_host("app-b.mesh.internal");
  request.set_client("x");
  EXPECT_EQ(explain(mesh->scene(), request).error().code(), Code::InvalidArgument);
}

// As meshdnsd does it: one object that means nothing does not take the others away.
TEST(OfflineMesh, leaves_out_and_tells_what_means_nothing) {
  const auto text = test::must(read_file("packaging/examples/mesh.yaml"));
  auto file = *config::load_mesh(text, "mesh.yaml");
  for (const char* name : {"a", "b"}) {
    v1::Object& object = *file.add_objects();
    object.set_kind("VirtualDestination");
    object.mutable_metadata()->set_name(name);
    object.mutable_virtual_destination();
  }
  v1::Object& over = *file.add_objects();
  over.set_api_version("meshdns.io/v1alpha1");
  over.set_kind("Override");
  over.mutable_metadata()->set_name("over");
  over.mutable_override()->mutable_target()->set_cluster("eu-1");
  over.mutable_override()->set_action("Down");
  over.mutable_override()->set_reason("test");
  over.mutable_override()->set_expires("1970-01-01T00:10:00Z");
  const auto mesh = OfflineMesh::of(file, {"mesh.internal"}, TimePoint{1h}, 1000);
  EXPECT_THAT(mesh->problems(), ElementsAre(HasSubstr("VirtualDestination/a: "), HasSubstr("VirtualDestination/b: "),
                                            "Override/over: spec.expires: it is over"));
  EXPECT_TRUE(mesh->scene().planner.plan("app-b.mesh.internal", TimePoint{1h}));
  EXPECT_TRUE(mesh->scene().catalog.records().overrides.empty());
}

TEST(Linter, worst_comes_first_and_an_object_that_means_nothing_is_an_error) {
  const auto mesh = example();
  const Scene scene = mesh->scene();
  Linter linter(scene.catalog.records(), scene.planner, scene.settings, scene.now);
  const auto objects = config::load_objects(R"(
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: x, namespace: shop}
spec:
  hosts: [x.elsewhere.example]
  services: [{matchLabels: {app: app-b}}]
  ports: [{name: http, number: 80, targetPort: 8080}]
  policy: {fence: {regions: [ue]}}
)",
                                            "x.yaml");
  ASSERT_TRUE(objects);
  const auto findings = linter.look(objects->front());
  ASSERT_EQ(findings.size(), 4U);
  EXPECT_EQ(findings[0].severity(), v1::Finding::ERROR);
  EXPECT_EQ(findings[0].path(), "spec.hosts[0]");
  EXPECT_EQ(findings[1].message(), "nothing is in region ue (did you mean \"eu\"?)");
  EXPECT_EQ(findings[2].path(), "spec.policy.fence");
  EXPECT_EQ(findings[3].severity(), v1::Finding::ADVICE);
  EXPECT_EQ(findings[3].object(), "VirtualDestination/shop/x");
  v1::Object nothing;
  nothing.set_kind("Cluster");
  EXPECT_EQ(linter.look(nothing).at(0).severity(), v1::Finding::ERROR);
}

// What is about to be applied with an object is known when it is looked at.
TEST(Linter, names_of_objects_that_come_along_are_known) {
  const auto mesh = example();
  const Scene scene = mesh->scene();
  Linter linter(scene.catalog.records(), scene.planner, scene.settings, scene.now);
  const auto objects = config::load_objects(R"(
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-1}
spec: {distances: {ap-1: 90ms}}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: ap-1}
spec: {locality: {region: ap}}
)",
                                            "x.yaml");
  ASSERT_TRUE(objects);
  EXPECT_EQ(linter.look(objects->front()).size(), 1U);
  linter.expect(objects->back());
  EXPECT_EQ(linter.look(objects->front()).size(), 0U);
}

}  // namespace
}  // namespace meshdns::explain
