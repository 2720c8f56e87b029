#include "dnsd/kubernetes/objects.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "common/kubernetes/api_group.h"

namespace meshdns::kubernetes {
namespace {

// The rest is in tests/scenario/slices.

boost::json::object parsed(const char* text) { return boost::json::parse(text).as_object(); }

// The line of a real API server 1.34, without annotations and owners.
TEST(Objects, a_slice_of_the_real_server) {
  const auto slice = read_slice(parsed(
      R"({"metadata": {"name": "app-b-hl-g82vk", "namespace": "disc", "uid": "s1", "labels": {"kubernetes.io/service-name":
      "app-b-hl", "service.kubernetes.io/headless": ""}}, "addressType": "IPv4", "ports": [{"name": "http", "protocol":
      "TCP", "port": 8080}, {"name": "sctp", "protocol": "SCTP", "port": 1}, {"name": "all"}], "endpoints": [{"addresses":
      ["10.1.1.1"], "conditions": {"ready": true, "serving": false, "terminating": true}, "hostname": "b-1", "targetRef":
      {"kind": "Pod", "namespace": "disc", "name": "b-1", "uid": "u1"}, "nodeName": "d-n1", "zone": "eu-a"}]})"));
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->service.text(), "disc/app-b-hl");
  ASSERT_EQ(slice->ports.size(), 1U);
  EXPECT_EQ(slice->ports[0], (model::Port{.name = "http", .number = 8080}));
  ASSERT_EQ(slice->endpoints.size(), 1U);
  const SliceEndpoint& endpoint = slice->endpoints[0];
  EXPECT_EQ(endpoint.address.text(), "10.1.1.1");
  EXPECT_EQ(endpoint.pod, "u1");
  EXPECT_EQ(endpoint.hostname, "b-1");
  EXPECT_EQ(endpoint.node, "d-n1");
  EXPECT_EQ(endpoint.zone, "eu-a");
  EXPECT_FALSE(endpoint.serving);
  EXPECT_TRUE(endpoint.terminating);
}

TEST(Objects, a_target_of_another_namespace_is_no_pod) {
  const auto slice = read_slice(parsed(
      R"({"metadata": {"name": "x", "namespace": "shop", "uid": "s1"}, "endpoints": [{"addresses": ["10.1.1.1"],
      "targetRef": {"kind": "Pod", "namespace": "other", "uid": "u1"}}, {"addresses": ["10.1.1.2"], "targetRef": {"kind":
      "Node", "uid": "u2"}}]})"));
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->endpoints[0].pod, "");
  EXPECT_EQ(slice->endpoints[1].pod, "");
}

TEST(Objects, problems_name_the_member) {
  EXPECT_EQ(read_slice(parsed(R"({"metadata": {"namespace": "shop"}})")).error().message(),
            "metadata.uid: expected a text (got nothing)");
  EXPECT_EQ(read_service(parsed(R"({"metadata": {"uid": "u", "name": "web"}})")).error().message(),
            "metadata.namespace: expected a text (got nothing)");
}

TEST(Objects, the_versions_of_an_api_group) {
  using Versions = std::vector<std::string>;
  EXPECT_EQ(versions_in(R"({"kind": "APIGroup", "versions": [{"groupVersion": "multicluster.x-k8s.io/v1alpha1",
                            "version": "v1alpha1"}, {"version": "v1beta1"}]})"),
            (Versions{"v1alpha1", "v1beta1"}));
  EXPECT_EQ(versions_in("not json"), Versions());
  EXPECT_EQ(versions_in(R"({"versions": 7})"), Versions());
}

}  // namespace
}  // namespace meshdns::kubernetes
