// When a service counts as exported: Service::unexported as the catalog keeps it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dnsd/catalog/catalog.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ExportsTest : public testing::Test {
 protected:
  /// Puts a pod that service "web" lists.
  void put(const std::string& key, bool exported) {
    model::Endpoint pod = endpoint("eu-1/n1", key);
    pod.service.clear();
    pod.memberships = {{.service = "web", .ports = {{"http", 8080, "TCP", ""}}, .exported = exported}};
    EXPECT_THAT(catalog_.apply_delta(pod.node, {pod}, {}, now_), IsEmpty());
  }
  void remove(const std::string& key) { catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/" + key}, now_); }
  void forget() { catalog_.forget(1h, now_); }
  const model::Service& web() const { return catalog_.records().services.at({"shop", "web"}); }
  /// Returns how often the service's record changed since a revision.
  std::ptrdiff_t changes(std::uint64_t since) const {
    const auto all = catalog_.changes_since(since).value();
    return std::ranges::count(all, RecordType::Service, &Change::type);
  }

  Catalog catalog_;
  TimePoint now_ = kNow;
};

TEST_F(ExportsTest, what_an_endpoint_names_itself_is_exported) {
  catalog_.apply_delta("eu-1/n1", {endpoint()}, {}, now_);
  EXPECT_FALSE(web().unexported);
  EXPECT_EQ(web().exporting, 1U);
}

TEST_F(ExportsTest, a_service_is_exported_while_some_endpoint_exports_it) {
  put("a", false);
  EXPECT_TRUE(web().unexported);
  put("b", true);
  EXPECT_FALSE(web().unexported);
  put("a", true);
  put("b", false);
  EXPECT_FALSE(web().unexported) << "a exports it";
  const auto before = catalog_.revision();
  put("a", false);
  EXPECT_TRUE(web().unexported) << "an export that is withdrawn ends at once";
  EXPECT_EQ(changes(before), 1) << "replicas hear of it";
}

// A pod that is replaced says nothing about the export.
TEST_F(ExportsTest, an_export_outlives_its_last_endpoint_for_some_time) {
  put("a", true);
  put("b", false);
  remove("a");
  EXPECT_FALSE(web().unexported);
  now_ += 59min;
  forget();
  EXPECT_FALSE(web().unexported);
  put("a", true);
  now_ += 59min;
  forget();
  EXPECT_FALSE(web().unexported) << "it came back";
  remove("a");
  now_ += 1h;
  const auto before = catalog_.revision();
  forget();
  EXPECT_TRUE(web().unexported);
  EXPECT_EQ(changes(before), 1);
}

TEST_F(ExportsTest, changes_of_health_alone_cost_and_change_nothing) {
  put("a", true);
  const auto before = catalog_.revision();
  model::Endpoint pod = catalog_.records().endpoints.at("eu-1/n1/a");
  pod.health.state = model::HealthState::Failing;
  catalog_.apply_delta(pod.node, {pod}, {}, now_);
  EXPECT_EQ(changes(before), 0);
  EXPECT_EQ(web().exporting, 1U);
}

// A replica takes over what the origin says, in whatever order the records come.
TEST_F(ExportsTest, the_origin_decides_for_a_replica) {
  model::Endpoint pod = endpoint();
  pod.service.clear();
  pod.memberships = {{.service = "web", .exported = true}};
  for (const bool service_first : {true, false}) {
    Catalog replica;
    if (service_first) replica.mirror(model::ServiceKey{"shop", "web"}, 17, true);
    replica.mirror(pod);
    if (!service_first) replica.mirror(model::ServiceKey{"shop", "web"}, 17, true);
    replica.mirrored(1, now_);
    EXPECT_TRUE(replica.records().services.at({"shop", "web"}).unexported);
    replica.mirror(model::ServiceKey{"shop", "web"}, 17, false);
    EXPECT_FALSE(replica.records().services.at({"shop", "web"}).unexported);
  }
}

// After a restart nobody knows when the last endpoint went: the time counts from the first look.
TEST_F(ExportsTest, a_stored_export_without_endpoints_ends_too) {
  catalog_.mirror(model::ServiceKey{"shop", "web"}, 17, false);
  catalog_.mirrored(1, now_);
  put("b", false);
  EXPECT_FALSE(web().unexported);
  forget();
  now_ += 59min;
  forget();
  EXPECT_FALSE(web().unexported);
  now_ += 1min;
  forget();
  EXPECT_TRUE(web().unexported);
}

}  // namespace
}  // namespace meshdns::catalog
