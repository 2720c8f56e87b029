#include "common/config/object_text.h"

#include <google/protobuf/util/message_differencer.h>

#include "common/config/load.h"

namespace meshdns::config {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr auto kDestination = R"(apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata:
  name: app-b
  namespace: shop
spec:
  hosts:
    - app-b.mesh.internal
  services:
    - namespace: shop
      clusters:
        - eu-1
      matchLabels:
        app: app-b
        version: "2"
        "y": "true"
  ports:
    - name: http
      number: 80
      protocol: TCP
      targetPort: 8080
      appProtocol: http
    - name: admin
      number: 81
      targetPort: admin
  externalEndpoints:
    - address: 192.0.2.1
      port: 443
      locality:
        region: us
      weight: 0
  policy:
    ladder:
      - cluster+zone
      - any
    onEmpty: NoData
    ttl: 1m30s
    slowStart: "off"
    maxAnswers: 4
)";

TEST(ObjectYaml, is_read_back_equal) {
  const auto objects = load_objects(kDestination, "x.yaml");
  ASSERT_TRUE(objects) << problems_text(objects.error());
  EXPECT_EQ(object_yaml(objects->at(0)), kDestination);
}

TEST(ObjectYaml, has_the_status_which_is_not_read_back) {
  auto object = load_objects(kDestination, "x.yaml").value().at(0);
  auto& condition = *object.mutable_status()->add_conditions();
  condition.set_type("Accepted");
  condition.set_status("True");
  const std::string text = object_yaml(object);
  EXPECT_THAT(text, testing::HasSubstr("status:\n  conditions:\n    - type: Accepted\n      status: \"True\"\n"));
  object.clear_status();
  EXPECT_TRUE(MessageDifferencer::Equals(load_objects(text, "x.yaml").value().at(0), object));
}

TEST(ObjectJson, is_the_same_document) {
  meshdns::v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Cluster");
  object.mutable_metadata()->set_name("eu-1");
  object.mutable_metadata()->set_created(1700000000);
  object.mutable_cluster()->add_client_prefixes("10.0.0.0/8");
  (*object.mutable_cluster()->mutable_distances())["us-1"].set_nanos(80'000'000);
  EXPECT_EQ(object_json(object), R"({
  "apiVersion": "meshdns.io/v1alpha1",
  "kind": "Cluster",
  "metadata": {
    "name": "eu-1",
    "created": 1700000000
  },
  "spec": {
    "distances": {
      "us-1": "80ms"
    },
    "clientPrefixes": [
      "10.0.0.0/8"
    ]
  }
}
)");
  EXPECT_TRUE(MessageDifferencer::Equals(load_objects(object_json(object), "x.json").value().at(0), object));
}

TEST(ObjectYaml, keeps_empty_specs_and_odd_texts) {
  meshdns::v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Cluster");
  object.mutable_metadata()->set_name("eu-1");
  object.mutable_metadata()->set_manager("a \"b\"\\ # c: d\xc3\xa9");
  object.mutable_cluster();
  EXPECT_THAT(object_yaml(object), testing::HasSubstr("spec: {}\n"));
  EXPECT_TRUE(MessageDifferencer::Equals(load_objects(object_yaml(object), "x.yaml").value().at(0), object));
}

}  // namespace
}  // namespace meshdns::config
