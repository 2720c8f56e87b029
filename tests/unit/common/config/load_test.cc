#include "common/config/load.h"

#include <fmt/format.h>

#include "common/config/rules.h"

namespace meshdns::config {
namespace {

constexpr auto kDnsd = R"(cluster: eu-1
zones: [{name: mesh.internal}]
dns: {listen: [{address: "127.0.0.1:0"}]}
federation: {listen: "127.0.0.1:0"}
)";

TEST(LoadDnsd, fills_in_defaults) {
  const auto config = load_dnsd(kDnsd, "meshdnsd.yaml").value();
  EXPECT_THAT(config.roles(), testing::ElementsAre("federation", "dns"));
  EXPECT_EQ(config.data_dir(), "/var/lib/meshdns");
  EXPECT_EQ(config.dns().workers(), "auto");
  EXPECT_EQ(config.dns().auto_hosts(), "{service}.{namespace}.{zone}");
  EXPECT_EQ(config.dns().stale_after().seconds(), 30);
  EXPECT_EQ(config.dns().max_records(), 2000000U);
  EXPECT_EQ(config.federation().forget_after().seconds(), 3600);
  EXPECT_EQ(config.admin().listen(), "127.0.0.1:7401");
  EXPECT_EQ(config.admin().socket(), "/run/meshdns/meshdnsd.sock");
  EXPECT_FALSE(config.has_replica() || config.has_locality() || config.federation().has_store());
}

TEST(LoadDnsd, keeps_what_is_written_over_the_defaults) {
  const auto text = fmt::format("{}admin: {{socket: /tmp/x.sock}}\ndata_dir: /srv\n", kDnsd);
  const auto config = load_dnsd(text, "meshdnsd.yaml").value();
  EXPECT_EQ(config.admin().socket(), "/tmp/x.sock");
  EXPECT_EQ(config.admin().listen(), "127.0.0.1:7401");
  EXPECT_EQ(config.data_dir(), "/srv");
}

TEST(LoadAgent, fills_in_defaults) {
  const auto config = load_agent("cluster: eu-1\nfederation: {servers: [\"localhost:7400\"]}\n", "agent.yaml").value();
  EXPECT_EQ(config.discovery().static_().directory(), "endpoints.d");
  EXPECT_EQ(config.admin().socket(), "/run/meshdns/agent.sock");
  EXPECT_FALSE(config.leave_on_stop());
}

TEST(LoadEndpoints, knows_a_weight_of_zero_from_none) {
  const auto file = load_endpoints(R"(endpoints:
  - {service: a, namespace: s, ports: [{number: 80}], weight: 0}
  - {service: b, namespace: s, ports: [{number: 80}], checks: [{tcp: {port: 80}, interval: 1m30s}]}
)",
                                   "app-b.yaml")
                        .value();
  EXPECT_EQ(file.endpoints(0).weight(), 0U);
  EXPECT_EQ(file.endpoints(1).weight(), 1U);
  EXPECT_EQ(file.endpoints(1).ports(0).protocol(), "TCP");
  const auto& check = file.endpoints(1).checks(0);
  EXPECT_EQ(check.interval().seconds(), 90);
  EXPECT_EQ(check.timeout().seconds(), 2);
  EXPECT_EQ(check.rise(), 2U);
  EXPECT_EQ(check.fall(), 3U);
}

TEST(LoadObjects, ignore_the_status_and_find_what_is_wrong_beside_it) {
  const auto objects = load_objects(R"(
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: app-b, namespace: shop}
spec:
  hosts: [app-b.mesh.internal]
  services: [{matchLabels: {app: app-b}, clusters: [eu-1]}]
  ports: [{name: http, number: 80, targetPort: 8080, appProtocol: http}]
  policy: {ladder: [cluster+zone, any], ttl: 10s, ttlMin: 500ms, slowStart: off, maxAnswers: 4}
status: {whatever: [is, here]}
---
apiVersion: meshdns.io/v1alpha1
kind: Cluster
metadata: {name: eu-1}
spec: {distances: {us-1: 80ms}, clientPrefixes: [10.1.0.0/16]}
---
)",
                                    "bad.yaml");
  ASSERT_FALSE(objects);
  EXPECT_EQ(problems_text(objects.error()), "bad.yaml:9:59: spec.policy.ttlMin: expected 1s to 300s (got 500ms)\n");
}

TEST(LoadObjects, reads_kinds_into_their_specs) {
  const auto objects = load_objects(R"(
apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata: {name: app-b, namespace: shop}
spec: {hosts: [app-b.mesh.internal], services: [{matchLabels: {app: app-b}}], policy: {ttl: 10s}}
---
{"apiVersion": "meshdns.io/v1alpha1", "kind": "Cluster", "metadata": {"name": "eu-1"},
 "spec": {"distances": {"us-1": "80ms"}}}
)",
                                    "good.yaml")
                           .value();
  ASSERT_EQ(objects.size(), 2U);
  const auto& spec = objects[0].virtual_destination();
  EXPECT_EQ(spec.services(0).match_labels().at("app"), "app-b");
  EXPECT_EQ(spec.policy().ttl().seconds(), 10);
  EXPECT_FALSE(spec.policy().has_max_answers() || spec.policy().has_ttl_min());
  EXPECT_EQ(objects[1].cluster().distances().at("us-1").nanos(), 80'000'000);
}

TEST(LoadMesh, reads_ten_thousand_nodes_and_objects) {
  std::string text = "nodes:\n";
  for (int i = 0; i < 10000; ++i) {
    text += fmt::format(
        "  - {{name: n{0}, cluster: eu-1, locality: {{region: eu, zone: eu-a}}, addresses: [10.0.{1}.{2}],\n"
        "     endpoints: [{{service: s{0}, namespace: shop, labels: {{app: a{0}}}, ports: [{{number: 80}}]}}]}}\n",
        i, i / 250, i % 250);
  }
  text += "objects:\n";
  for (int i = 0; i < 10000; ++i) {
    text += fmt::format(
        "  - {{apiVersion: meshdns.io/v1alpha1, kind: VirtualDestination, metadata: {{name: v{0}, namespace: shop}},\n"
        "     spec: {{hosts: [v{0}.mesh.internal], services: [{{matchLabels: {{app: a{0}}}}}]}}}}\n",
        i);
  }
  const auto mesh = load_mesh(text, "mesh.yaml");
  ASSERT_TRUE(mesh) << problems_text(mesh.error());
  EXPECT_EQ(mesh->nodes_size(), 10000);
  EXPECT_EQ(mesh->nodes(9999).endpoints(0).state(), "serving");
  EXPECT_EQ(mesh->objects(9999).virtual_destination().hosts(0), "v9999.mesh.internal");
}

/// Every default in the protos is one that its own rules accept.
void check_defaults(const google::protobuf::Descriptor& type, google::protobuf::MessageFactory& factory) {
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    const std::unique_ptr<google::protobuf::Message> message(factory.GetPrototype(&type)->New());
    for (const auto& text : rules_of(field).fallback()) {
      EXPECT_EQ(put_scalar(*message, field, text), std::nullopt) << field.full_name();
    }
    const bool ours = field.message_type() != nullptr && field.message_type()->file()->package() == "meshdns.config.v1";
    if (ours && !field.is_map()) check_defaults(*field.message_type(), factory);
  }
}

TEST(Rules, accept_their_own_defaults) {
  auto& factory = *google::protobuf::MessageFactory::generated_factory();
  check_defaults(*v1::Meshdnsd::descriptor(), factory);
  check_defaults(*v1::Agent::descriptor(), factory);
  check_defaults(*v1::EndpointsFile::descriptor(), factory);
  check_defaults(*v1::MeshFile::descriptor(), factory);
}

}  // namespace
}  // namespace meshdns::config
