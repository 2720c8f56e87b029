// Objects of the Kubernetes API become those that meshdnsctl applies.
#include "dnsd/resources/resource.h"

#include "tests/unit/dnsd/resources/resources_bed.h"

namespace meshdns::resources::test {
namespace {

Resource read(const Kind& kind, const std::string& text) {
  return read_resource(kind, kubernetes::parse_object(text).value()).value();
}

TEST(Resource, has_its_key_its_path_and_its_status) {
  const auto one = read(kDestination, destination("app-b", 3, "b.mesh.internal",
                                                  R"(,"status":{"conditions":[{"type":"Accepted","status":"True",)"
                                                  R"("reason":"Valid","message":"m","observedGeneration":2,)"
                                                  R"("lastTransitionTime":"2026-11-29T16:00:01Z"}],)"
                                                  R"("distances":{"us-1":"80ms"},"gatewaysDown":["10.0.0.1"]})"));
  EXPECT_EQ(one.key, "VirtualDestination/shop/app-b");
  EXPECT_EQ(one.path, "/apis/meshdns.io/v1alpha1/namespaces/shop/virtualdestinations/app-b");
  EXPECT_EQ(one.generation, 3);
  EXPECT_EQ(one.created, 1795968000);
  ASSERT_EQ(one.status.conditions.size(), 1U);
  EXPECT_EQ(one.status.conditions[0], (Condition{"Accepted", "True", "Valid", "m", "2026-11-29T16:00:01Z", 2}));
  EXPECT_EQ(one.status.distances.at("us-1"), "80ms");
  EXPECT_EQ(one.status.gateways_down, std::vector<std::string>{"10.0.0.1"});
}

TEST(Resource, is_read_by_the_rules_of_apply) {
  const auto object = read_object(read(kDestination, destination("app-b", 1, "b.mesh.internal"))).value();
  EXPECT_EQ(object.virtual_destination().hosts(0), "b.mesh.internal");
  EXPECT_EQ(object.metadata().created(), 1795968000);
  EXPECT_EQ(object.metadata().annotations().size(), 1U);  // kubectl's own copy is none
  const auto wrong = read_object(read(kDestination, destination("app-b", 1, "*.mesh.internal")));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message(), "spec.hosts[0]: a wildcard is not allowed here (got *.mesh.internal)");
}

TEST(Resource, of_a_list_lacks_its_kind_and_a_cluster_has_another_name) {
  const std::string text = R"({"metadata":{"name":"eu-1","uid":"u"},"spec":{"network":"corp"}})";
  const auto cluster = read(kCluster, text);
  EXPECT_EQ(cluster.key, "Cluster/eu-1");
  EXPECT_EQ(cluster.path, "/apis/meshdns.io/v1alpha1/meshclusters/eu-1");
  const auto object = read_object(cluster).value();
  EXPECT_EQ(object.kind(), "Cluster");
  EXPECT_EQ(object.cluster().network(), "corp");
}

// YAML 1.1 takes `off` for false, and kubectl reads YAML 1.1.
TEST(Resource, slow_start_may_be_false) {
  for (const char* off : {"false", "\"off\""}) {
    const std::string text =
        R"({"metadata":{"name":"a","namespace":"s","uid":"u"},"spec":{"hosts":["a.mesh.internal"],)"
        R"("policy":{"slowStart":)" +
        std::string(off) + "}}}";
    EXPECT_EQ(read_object(read(kDestination, text)).value().virtual_destination().policy().slow_start(), "off");
  }
}

TEST(Resource, without_a_name_or_in_the_wrong_place_is_refused) {
  for (const char* text : {R"({"metadata":{"uid":"u"}})", R"({"metadata":{"name":"a"}})",
                           R"({"metadata":{"name":"a","namespace":"x","uid":"u"}})", R"({"metadata":3})"}) {
    EXPECT_FALSE(read_resource(kCluster, kubernetes::parse_object(text).value())) << text;
  }
}

}  // namespace
}  // namespace meshdns::resources::test
