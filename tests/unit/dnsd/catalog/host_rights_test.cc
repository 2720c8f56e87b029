#include "dnsd/catalog/host_rights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/model/kubernetes_names.h"
#include "dnsd/catalog/catalog.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

model::VirtualDestination object(std::vector<std::string> hosts, std::string manager = model::kKubernetesManager) {
  model::VirtualDestination out;
  out.meta.name = "web";
  out.meta.namespace_ = "shop";
  out.meta.manager = std::move(manager);
  out.hosts = std::move(hosts);
  return out;
}

HostRights rights() {
  return {{"mesh.internal", "svc.clusterset.local", "clusterset.local"},
          {{"shop", {"app-b.mesh.internal", "*.shop.example.com"}}}};
}

/// Returns the field that is refused; empty = the object is taken.
std::string refused(const std::string& host) {
  const auto refusal = rights().check(object({host}));
  return refusal ? refusal->field : "";
}

TEST(HostRights, a_namespace_has_the_names_below_its_own_in_every_zone) {
  EXPECT_EQ(refused("web.shop.mesh.internal"), "");
  EXPECT_EQ(refused("v2.web.shop.mesh.internal"), "");
  EXPECT_EQ(refused("web.shop.svc.clusterset.local"), "");
  EXPECT_EQ(refused("shop.mesh.internal"), "spec.hosts[0]");
  EXPECT_EQ(refused("web.other.mesh.internal"), "spec.hosts[0]");
  EXPECT_EQ(refused("web.mesh.internal"), "spec.hosts[0]");
  EXPECT_EQ(refused("web.workshop.mesh.internal"), "spec.hosts[0]");
  EXPECT_EQ(refused("web.shop.clusterset.local"), "spec.hosts[0]");
}

TEST(HostRights, the_annotation_gives_more) {
  EXPECT_EQ(refused("app-b.mesh.internal"), "");
  EXPECT_EQ(refused("api.shop.example.com"), "");
  EXPECT_EQ(refused("shop.example.com"), "spec.hosts[0]");
  EXPECT_EQ(refused("v2.app-b.mesh.internal"), "spec.hosts[0]");
}

TEST(HostRights, the_refusal_says_what_would_be_allowed) {
  const auto refusal = rights().check(object({"web.shop.mesh.internal", "pay.mesh.internal"}));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, Refusal::Kind::HostNotAllowed);
  EXPECT_EQ(refusal_text(*refusal),
            "spec.hosts[1]: pay.mesh.internal is not a name of namespace shop: it may have *.shop.mesh.internal, "
            "*.shop.svc.clusterset.local, app-b.mesh.internal, *.shop.example.com; more by the Namespace's annotation "
            "meshdns.io/hosts");
}

TEST(HostRights, objects_of_other_managers_are_not_restricted) {
  EXPECT_FALSE(rights().check(object({"pay.mesh.internal"}, "cli")));
  EXPECT_TRUE(rights().check(object({"pay.mesh.internal"})));
}

TEST(HostRights, an_annotation_is_a_list_of_names_and_wildcards) {
  std::vector<std::string> problems;
  EXPECT_THAT(parse_hosts(" Pay.Mesh.internal. ,*.shop.example.com,, ", problems),
              ElementsAre("pay.mesh.internal", "*.shop.example.com"));
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(parse_hosts("*,*.internal,internal,a..b,*.*.b.c,a b.c,x.y", problems), ElementsAre("x.y"));
  EXPECT_THAT(problems, SizeIs(6));
  EXPECT_THAT(problems.front(), HasSubstr("\"*\""));
  EXPECT_THAT(parse_hosts("", problems), IsEmpty());
}

TEST(HostRights, the_catalog_refuses_and_judges_again) {
  Catalog catalog;
  EXPECT_FALSE(catalog.put_destination(object({"pay.mesh.internal"}), kNow)) << "nothing is known yet";
  EXPECT_THAT(catalog.forbidden(), IsEmpty());
  catalog.set_host_rights(rights());
  ASSERT_THAT(catalog.forbidden(), SizeIs(1));
  EXPECT_EQ(catalog.forbidden().front().key, "shop/web");
  EXPECT_TRUE(catalog.put_destination(object({"mail.mesh.internal"}), kNow));
  EXPECT_THAT(catalog.records().destinations.at("shop/web").hosts, ElementsAre("pay.mesh.internal"));
  EXPECT_EQ(catalog.refused_records(), 1U);
  catalog.set_host_rights(HostRights({"mesh.internal"}, {{"SHOP", {"*.mesh.internal"}}}));
  EXPECT_THAT(catalog.forbidden(), IsEmpty());
  EXPECT_FALSE(catalog.put_destination(object({"mail.mesh.internal"}), kNow));
}

}  // namespace
}  // namespace meshdns::catalog
