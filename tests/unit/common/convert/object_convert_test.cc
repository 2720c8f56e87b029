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

TEST(ToVirtualDestination, takes_expressions_and_hostnames_over) {
  const auto out = to_virtual_destination(object(R"(
  hosts: [a.mesh.internal]
  services: [{matchExpressions: [{key: v, operator: NotIn, values: [a, b]}, {key: w, operator: DoesNotExist}]}]
  externalEndpoints: [{hostname: App.Example.Net., port: 443}])"))
                       .value();
  using enum model::LabelExpression::Operator;
  EXPECT_EQ(out.services.at(0).match_expressions,
            (std::vector<model::LabelExpression>{{"v", NotIn, {"a", "b"}}, {"w", DoesNotExist, {}}}));
  EXPECT_EQ(out.external_endpoints.at(0).hostname, "app.example.net");
}

v1::LabelExpression& expression_of(v1::Object& object, const std::string& op) {
  auto& out = *spec_of(object).mutable_services(0)->add_match_expressions();
  out.set_key("v");
  out.set_operator_(op);
  return out;
}

TEST(ToVirtualDestination, names_what_is_wrong_with_an_expression) {
  const std::string field = "spec.services[0].matchExpressions[0]";
  EXPECT_EQ(said([](auto& o) { expression_of(o, "Exists").clear_key(); }), field + ".key: is missing");
  EXPECT_EQ(said([](auto& o) { expression_of(o, "in"); }),
            field + ".operator: expected one of In, NotIn, Exists, DoesNotExist");
  EXPECT_EQ(said([](auto& o) { expression_of(o, "In"); }), field + ".values: at least one is needed");
  EXPECT_EQ(said([](auto& o) { expression_of(o, "NotIn"); }), field + ".values: at least one is needed");
  EXPECT_EQ(said([](auto& o) { expression_of(o, "Exists").add_values("a"); }),
            field + ".values: Exists and DoesNotExist take none");
  EXPECT_EQ(said([](auto& o) { expression_of(o, "DoesNotExist").add_values("a"); }),
            field + ".values: Exists and DoesNotExist take none");
}

v1::VirtualDestinationSpec::ExternalEndpoint& external_of(v1::Object& object) {
  auto& out = *spec_of(object).add_external_endpoints();
  out.set_hostname("a.example.net");
  out.set_port(443);
  return out;
}

TEST(ToVirtualDestination, names_what_is_wrong_with_an_external_endpoint) {
  const std::string field = "spec.externalEndpoints[0]";
  EXPECT_EQ(said([](auto& o) { external_of(o); }), "ok");
  EXPECT_EQ(said([](auto& o) { external_of(o).set_address("192.0.2.1"); }),
            field + ": needs a hostname or an address, not both");
  EXPECT_EQ(said([](auto& o) { external_of(o).clear_hostname(); }),
            field + ": needs a hostname or an address, not both");
  EXPECT_EQ(said([](auto& o) { external_of(o).set_hostname("*.example.net"); }),
            field + ".hostname: expected a DNS name, without wildcard");
  EXPECT_EQ(said([](auto& o) { external_of(o).clear_port(); }), field + ".port: expected 1-65535 (got 0)");
  EXPECT_EQ(said([](auto& o) { external_of(o).set_weight(65536); }), field + ".weight: expected 0-65535 (got 65536)");
  EXPECT_EQ(said([](auto& o) { external_of(o).mutable_locality()->set_zone("a b"); }),
            field + ".locality.zone: expected letters, digits and hyphens");
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
}

TEST(ToCluster, takes_gateways_over) {
  const auto out =
      to_cluster(
          object("{gateways: [{address: 10.0.0.1, ports: [{name: http, number: 80, protocol: UDP}]}]}", "Cluster"))
          .value();
  EXPECT_EQ(out.gateways,
            (std::vector<model::Gateway>{{IpAddress::parse("10.0.0.1").value(), {{"http", 80, "UDP", ""}}}}));
}

TEST(ToCluster, names_what_is_wrong_with_a_gateway) {
  const auto said = [](const std::function<void(v1::ClusterSpec::Gateway&)>& change) {
    v1::Object cluster = object("{}", "Cluster");
    auto& gateway = *cluster.mutable_cluster()->add_gateways();
    gateway.set_address("10.0.0.1");
    change(gateway);
    const auto out = to_cluster(cluster);
    return out ? "ok" : out.error().message();
  };
  EXPECT_EQ(said([](auto&) {}), "ok");
  EXPECT_EQ(said([](auto& g) { g.set_address("gate"); }),
            "spec.gateways[0].address: expected an IPv4 or IPv6 address (got \"gate\")");
  EXPECT_EQ(said([](auto& g) { g.set_address("0.0.0.0"); }),
            "spec.gateways[0].address: 0.0.0.0 is an unspecified address, not that of one host");
  EXPECT_EQ(said([](auto& g) {
              g.add_ports()->set_name("sip");
              g.mutable_ports(0)->set_number(5060);
              *g.add_ports() = g.ports(0);
            }),
            "spec.gateways[0].ports[1].name: given twice");
  EXPECT_EQ(said([](auto& g) {
              g.add_ports()->set_name("sip");
              g.mutable_ports(0)->set_number(5060);
              *g.add_ports() = g.ports(0);
              g.mutable_ports(1)->set_protocol("UDP");
            }),
            "ok");
  EXPECT_EQ(said([](auto& g) { g.add_ports()->set_number(65536); }),
            "spec.gateways[0].ports[0].number: expected 1-65535 (got 65536)");
  EXPECT_EQ(said([](auto& g) { g.add_ports()->set_name("a b"); }),
            "spec.gateways[0].ports[0].name: expected letters, digits and hyphens");
}

v1::Object down() {
  v1::Object out;
  out.set_api_version("meshdns.io/v1alpha1");
  out.set_kind("Override");
  out.mutable_metadata()->set_name("kernel");
  out.mutable_override()->mutable_target()->set_node("eu1-n1");
  out.mutable_override()->set_action("Down");
  out.mutable_override()->set_reason("new kernel");
  return out;
}

TEST(ToOverride, takes_everything_over) {
  v1::Object object = down();
  object.mutable_override()->set_author("alice");
  object.mutable_override()->set_expires("2026-11-27T18:00:00Z");
  const auto out = to_override(object).value();
  EXPECT_EQ(out.target, (model::OverrideTarget{model::TargetKind::Node, "eu1-n1"}));
  EXPECT_EQ(out.action, model::Action::Down);
  EXPECT_EQ(out.reason, "new kernel");
  EXPECT_EQ(out.author, "alice");
  EXPECT_EQ(out.expires, 1795802400);
  EXPECT_EQ(out.meta.key(), "kernel");
  object.mutable_override()->set_action("Freeze");
  object.mutable_override()->clear_target();
  EXPECT_EQ(to_override(object).value().action, model::Action::Freeze);
}

TEST(ToOverride, names_the_field_that_is_wrong) {
  const auto said = [](const Change& change) {
    v1::Object object = down();
    change(object);
    const auto out = to_override(object);
    return out ? "ok" : out.error().message();
  };
  EXPECT_EQ(said([](auto&) {}), "ok");
  EXPECT_EQ(said([](auto& o) { o.mutable_metadata()->set_namespace_("shop"); }),
            "metadata.namespace: an Override has no namespace");
  EXPECT_EQ(said([](auto& o) { o.mutable_cluster(); }), "spec: is missing");
  EXPECT_EQ(said([](auto& o) { o.mutable_override()->set_action("down"); }),
            "spec.action: expected one of Up, Down, Drain, Freeze");
  EXPECT_EQ(said([](auto& o) { o.mutable_override()->clear_target(); }), "spec.target: exactly one is needed");
  EXPECT_EQ(said([](auto& o) { o.mutable_override()->mutable_target()->set_zone("eu-a"); }),
            "spec.target: exactly one is needed");
  EXPECT_EQ(said([](auto& o) { o.mutable_override()->set_action("Freeze"); }),
            "spec.target: a Freeze has none: it is for all");
  EXPECT_EQ(said([](auto& o) { o.mutable_override()->clear_reason(); }), "spec.reason: is missing");
  EXPECT_EQ(said([](auto& o) { o.mutable_override()->set_expires("tomorrow"); }),
            "spec.expires: expected a time like 2026-11-27T18:00:00Z (got tomorrow)");
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
