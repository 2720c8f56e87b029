#include "common/convert/object_convert.h"

#include <functional>

#include "common/config/load.h"

namespace meshdns::convert {
namespace {

v1::Object object(const std::string& spec, const std::string& kind = "VirtualDestination") {
  const std::string meta = kind == "Cluster" ? "{name: eu-1}" : "{name: app-b, namespace: shop}";
  std::string text = "apiVersion: meshdns.io/v1alpha1\nkind: ";
  text.append(kind).append("\nmetadata: ").append(meta).append("\nspec: ").append(spec).append("\n");
  auto loaded = config::load_objects(text, "x.yaml");
  if (!loaded) ADD_FAILURE() << config::problems_text(loaded.error());
  return loaded->at(0);
}

v1::Object plain() { return object("{hosts: [App-B.Mesh.Internal.], services: [{name: app-b}]}"); }

TEST(ToVirtualDestination, fills_in_the_policys_defaults) {
  const auto out = to_virtual_destination(plain()).value();
  EXPECT_THAT(out.hosts, testing::ElementsAre("app-b.mesh.internal"));
  EXPECT_EQ(out.meta.key(), "shop/app-b");
  EXPECT_EQ(out.meta.manager, "cli");
  EXPECT_EQ(out.policy, model::Policy{});
  EXPECT_EQ(out.services.at(0).name, "app-b");
}

TEST(ToVirtualDestination, takes_everything_over) {
  const auto out = to_virtual_destination(object(R"(
  hosts: [a.mesh.internal, b.mesh.internal]
  services: [{namespace: other, name: app, clusters: [eu-1], matchLabels: {k: v}}]
  ports: [{name: http, number: 80, protocol: UDP, targetPort: 8080, appProtocol: http}, {name: admin, number: 81}]
  externalEndpoints: [{address: "fd00::1", port: 443, locality: {region: us}, weight: 0}, {address: 10.0.0.1, port: 1}]
  policy: {ladder: [zone, any], families: independent, onEmpty: NoData, ttl: 30s, ttlMin: 2s, slowStart: off, maxAnswers: 3})"))
                       .value();
  EXPECT_EQ(out.services.at(0), (model::ServiceSelector{"other", "app", {"eu-1"}, {{"k", "v"}}}));
  EXPECT_EQ(out.ports.at(0), (model::PortMapping{"http", 80, "UDP", "8080", "http"}));
  EXPECT_EQ(out.ports.at(1), (model::PortMapping{"admin", 81, "TCP", "", ""}));
  EXPECT_EQ(out.external_endpoints.at(0).address.text(), "fd00::1");
  EXPECT_EQ(out.external_endpoints.at(0).locality.region, "us");
  EXPECT_EQ(out.external_endpoints.at(0).weight, 0U);
  EXPECT_EQ(out.external_endpoints.at(1).weight, 1U);
  ASSERT_EQ(out.policy.ladder.size(), 2U);
  EXPECT_EQ(out.policy.ladder[1].name, "any");
  EXPECT_EQ(out.policy.families, model::Families::Independent);
  EXPECT_EQ(out.policy.on_empty, model::OnEmpty::NoData);
  EXPECT_EQ(out.policy.ttl, 30s);
  EXPECT_EQ(out.policy.ttl_min, 2s);
  EXPECT_EQ(out.policy.max_answers, 3U);
}

using Change = std::function<void(v1::Object&)>;

/// What is said of a good object after a change, which may have come over RPC and not from a file.
std::string said(const Change& change) {
  v1::Object changed = plain();
  change(changed);
  const auto out = to_virtual_destination(changed);
  return out ? "ok" : out.error().message();
}

v1::VirtualDestinationSpec& spec_of(v1::Object& object) { return *object.mutable_virtual_destination(); }

TEST(ToVirtualDestination, names_the_field_that_is_wrong) {
  EXPECT_EQ(said([](auto& o) { o.set_api_version("v1"); }), "apiVersion: expected meshdns.io/v1alpha1");
  EXPECT_EQ(said([](auto& o) { o.set_kind("Cluster"); }), "kind: expected VirtualDestination (got Cluster)");
  EXPECT_EQ(said([](auto& o) { o.mutable_metadata()->clear_namespace_(); }),
            "metadata.namespace: expected letters, digits and hyphens");
  EXPECT_EQ(said([](auto& o) { o.mutable_cluster(); }), "spec: is missing");
  EXPECT_EQ(said([](auto& o) { spec_of(o).clear_hosts(); }), "spec.hosts: at least one is needed");
  EXPECT_EQ(said([](auto& o) { spec_of(o).add_hosts("*.x"); }), "spec.hosts[1]: expected a DNS name, without wildcard");
  EXPECT_EQ(said([](auto& o) { spec_of(o).add_hosts("app-b.mesh.internal"); }), "spec.hosts[1]: given twice");
  EXPECT_EQ(said([](auto& o) { spec_of(o).add_ports()->set_number(65536); }),
            "spec.ports[0].number: expected 1-65535 (got 65536)");
  EXPECT_EQ(said([](auto& o) { spec_of(o).add_external_endpoints()->set_port(1); }),
            "spec.externalEndpoints[0].address: expected an IPv4 or IPv6 address (got \"\")");
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_policy()->mutable_ttl()->set_seconds(301); }),
            "spec.policy.ttl: expected 1s to 300s");
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_policy()->mutable_ttl_min()->set_seconds(6); }),
            "spec.policy.ttlMin: expected 1s to ttl");
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_policy()->set_max_answers(0); }),
            "spec.policy.maxAnswers: expected 1-256");
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_policy()->set_on_empty("no"); }),
            "spec.policy.onEmpty: expected LastResort or NoData");
  EXPECT_THAT(said([](auto& o) { spec_of(o).mutable_policy()->add_ladder("rack"); }),
              testing::StartsWith("spec.policy.ladder[0]: expected any, or "));
}

TEST(ToVirtualDestination, refuses_what_is_not_supported_yet) {
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_policy()->mutable_fence(); }),
            "spec.policy.fence: not supported yet");
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_policy()->set_slow_start("30s"); }),
            "spec.policy.slowStart: not supported yet");
  EXPECT_EQ(said([](auto& o) { spec_of(o).mutable_services(0)->add_match_expressions(); }),
            "spec.services[0].matchExpressions: not supported yet");
  v1::Object changed = plain();
  spec_of(changed).mutable_policy()->mutable_spill();
  EXPECT_EQ(to_virtual_destination(changed).error().code(), Code::Unimplemented);
}

TEST(ToCluster, takes_everything_over) {
  const auto out = to_cluster(object(R"(
  locality: {region: eu}
  network: corp
  distances: {us-1: 80ms}
  clientPrefixes: [10.1.0.0/16]
  allowedPrefixes: [10.0.0.0/8, "fd00::/8"])",
                                     "Cluster"))
                       .value();
  EXPECT_EQ(out.locality, (model::Locality{"corp", "eu", "", "", "eu-1", ""}));
  EXPECT_EQ(out.distances.at("us-1"), 80ms);
  EXPECT_EQ(out.client_prefixes.at(0).text(), "10.1.0.0/16");
  EXPECT_EQ(out.allowed_prefixes.value().size(), 2U);
  EXPECT_FALSE(to_cluster(object("{}", "Cluster")).value().allowed_prefixes);
}

TEST(ToCluster, names_the_field_that_is_wrong) {
  v1::Object cluster = object("{}", "Cluster");
  cluster.mutable_cluster()->add_client_prefixes("10.0.0.1/8");
  EXPECT_THAT(to_cluster(cluster).error().message(), testing::StartsWith("spec.clientPrefixes[0]: "));
  cluster = object("{}", "Cluster");
  cluster.mutable_cluster()->mutable_locality()->set_cluster("other");
  EXPECT_EQ(to_cluster(cluster).error().message(), "spec.locality.cluster: differs from metadata.name");
  cluster = object("{}", "Cluster");
  cluster.mutable_cluster()->add_gateways();
  EXPECT_EQ(to_cluster(cluster).error(), Error(Code::Unimplemented, "spec.gateways: not supported yet"));
}

TEST(ObjectKey, has_the_namespace_where_there_is_one) {
  EXPECT_EQ(object_key(plain()), "VirtualDestination/shop/app-b");
  EXPECT_EQ(object_key(object("{}", "Cluster")), "Cluster/eu-1");
}

TEST(ToLocality, keeps_every_part) {
  v1::Locality wire;
  wire.set_network("n");
  wire.set_region("r");
  wire.set_zone("z");
  wire.set_subzone("s");
  wire.set_cluster("c");
  wire.set_node("x");
  EXPECT_EQ(to_locality(wire), (model::Locality{"n", "r", "z", "s", "c", "x"}));
  config::v1::Locality config;
  config.set_node("x");
  EXPECT_EQ(to_locality(config).node, "x");
}

}  // namespace
}  // namespace meshdns::convert
