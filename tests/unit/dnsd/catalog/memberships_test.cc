// Endpoints of several services, and of none, in the catalog.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "common/base/random_seed.h"
#include "dnsd/catalog/catalog.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::catalog {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

model::Memberships in(const std::vector<std::string>& services) {
  model::Memberships out;
  for (const std::string& service : services) out.push_back({.service = service});
  return out;
}

model::Endpoint pod(const std::string& key, const std::vector<std::string>& services, const std::string& own = "") {
  model::Endpoint out = endpoint("eu-1/n1", key);
  out.service = own;
  out.memberships = in(services);
  return out;
}

class MembershipsTest : public testing::Test {
 protected:
  MembershipsTest() { catalog_.put_node(node(), kNow); }
  void put(const model::Endpoint& endpoint) {
    EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {endpoint}, {}, kNow), IsEmpty());
  }
  std::vector<Refusal> set(const std::string& key, const std::vector<std::string>& services) {
    return catalog_.set_memberships({{"eu-1/n1/" + key, in(services)}}, kNow);
  }
  /// "web" -> number of endpoints
  std::map<std::string, std::uint32_t> counts() const {
    std::map<std::string, std::uint32_t> out;
    for (const auto& [key, service] : catalog_.records().services) out[key.name] = service.endpoints;
    return out;
  }

  Catalog catalog_;
};

TEST_F(MembershipsTest, an_endpoint_counts_once_in_each_of_its_services) {
  put(pod("a", {"api", "web"}, "web"));
  put(pod("b", {"web"}));
  put(pod("c", {}));
  EXPECT_EQ(counts(), (std::map<std::string, std::uint32_t>{{"api", 1}, {"web", 2}}));
  EXPECT_THAT(set("b", {"api"}), IsEmpty());
  EXPECT_EQ(counts(), (std::map<std::string, std::uint32_t>{{"api", 2}, {"web", 1}}));
  put(pod("a", {"api"}, "other"));  // its own service changes
  EXPECT_EQ(counts(), (std::map<std::string, std::uint32_t>{{"api", 2}, {"other", 1}, {"web", 0}}));
  catalog_.withdraw("eu-1/n1", kNow);
  EXPECT_EQ(counts(), (std::map<std::string, std::uint32_t>{{"api", 0}, {"other", 0}, {"web", 0}}));
}

TEST_F(MembershipsTest, setting_them_is_one_revision_of_what_changes) {
  put(pod("a", {}));
  put(pod("b", {"web"}));
  const std::uint64_t before = catalog_.revision();
  EXPECT_THAT(catalog_.set_memberships({{"eu-1/n1/a", in({"web"})}, {"eu-1/n1/b", in({"web"})}, {"eu-1/n1/x", {}}}, kNow),
              IsEmpty());
  EXPECT_EQ(catalog_.revision(), before + 1);
  const auto changes = catalog_.changes_since(before).value();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].key, "eu-1/n1/a");
}

TEST_F(MembershipsTest, what_is_bad_is_refused_and_changes_nothing) {
  put(pod("a", {"web"}));
  const auto refused = set("a", {"b", "a"});
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].field, "memberships[1].service");
  EXPECT_EQ(catalog_.records().endpoints.at("eu-1/n1/a").memberships.size(), 1U);
}

TEST_F(MembershipsTest, the_last_endpoint_of_any_service_is_not_forgotten) {
  put(pod("a", {"api", "web"}));
  put(pod("b", {"web"}));
  put(pod("c", {}));
  catalog_.set_status("eu-1/n1", {.silent = true, .since = kNow}, kNow);
  const Forgotten gone = catalog_.forget(1h, kNow + 2h);
  ASSERT_EQ(gone.nodes.size(), 1U);
  EXPECT_EQ(gone.nodes[0].kept, 1U);
  std::vector<std::string> keys;
  for (const auto& [key, endpoint] : catalog_.records().endpoints) keys.push_back(key);
  EXPECT_THAT(keys, ElementsAre("eu-1/n1/a"));
}

TEST_F(MembershipsTest, equal_ones_are_stored_once) {
  put(pod("a", {"web"}));
  put(pod("b", {"web"}));
  const auto& endpoints = catalog_.records().endpoints;
  EXPECT_EQ(&endpoints.at("eu-1/n1/a").memberships.get(), &endpoints.at("eu-1/n1/b").memberships.get());
}

TEST_F(MembershipsTest, a_service_outlives_its_last_membership) {
  put(pod("a", {"web"}));
  set("a", {});
  EXPECT_THAT(catalog_.forget(1h, kNow + 59min).services, IsEmpty());
  EXPECT_EQ(catalog_.forget(1h, kNow + 61min).services.size(), 1U);
}

// However endpoints come, change and go, each service has as many as the records say.
TEST_F(MembershipsTest, counts_follow_from_the_records) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](unsigned end) { return std::uniform_int_distribution(0U, end - 1)(random); };
  for (int step = 0; step < 2000; ++step) {
    std::vector<std::string> services;
    for (const char* name : {"a", "b", "c"}) {
      if (below(2) == 0) services.emplace_back(name);
    }
    const std::string key = "e" + std::to_string(below(4));
    const model::Endpoint changed = pod(key, services, below(2) == 0 ? "" : "b");
    switch (below(4)) {
      case 0: catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/" + key}, kNow); break;
      case 1: set(key, services); break;
      case 2: catalog_.mirror(changed); break;
      default: put(changed);
    }
    std::map<std::string, std::uint32_t> expected;
    for (const auto& [name, count] : counts()) expected[name] = 0;
    for (const auto& [name, known] : catalog_.records().endpoints) {
      std::set<std::string> own;
      if (!known.service.empty()) own.insert(known.service);
      for (const auto& each : known.memberships) own.insert(each.service);
      for (const auto& service : own) ++expected[service];
    }
    ASSERT_EQ(counts(), expected) << "step " << step;
  }
}

}  // namespace
}  // namespace meshdns::catalog
