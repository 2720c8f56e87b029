#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "dnsd/catalog/catalog.h"
#include "tests/unit/dnsd/catalog/sample.h"

namespace meshdns::catalog {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

model::Override freeze(const std::string& name = "freeze") {
  model::Override out;
  out.meta.name = name;
  out.action = model::Action::Freeze;
  out.reason = "incident";
  return out;
}

class FreezeTest : public testing::Test {
 protected:
  FreezeTest() {
    catalog_.put_node(node(), kNow);
    catalog_.apply_full("eu-1/n1", {endpoint("eu-1/n1", "a"), endpoint("eu-1/n1", "b")}, {"files"}, kNow);
    catalog_.put_override(freeze(), kNow);
  }
  void report(const std::string& key, model::HealthState state) {
    model::Endpoint out = endpoint("eu-1/n1", key);
    out.health.state = state;
    out.health.since = kNow + 5s;
    EXPECT_THAT(catalog_.apply_delta("eu-1/n1", {out}, {}, kNow + 5s), IsEmpty());
  }
  model::HealthState shown(const std::string& key) const {
    return catalog_.records().endpoints.at("eu-1/n1/" + key).health.state;
  }

  Catalog catalog_;
};

TEST_F(FreezeTest, nothing_that_is_told_becomes_a_revision_before_the_thaw) {
  const auto revision = catalog_.revision();
  report("a", model::HealthState::Failing);
  catalog_.set_status("eu-1/n1", {true, false, kNow}, kNow);
  catalog_.set_cluster_status("eu-1", {{{"us-1", 80ms}}, {}}, kNow);
  EXPECT_EQ(catalog_.revision(), revision);
  EXPECT_EQ(shown("a"), model::HealthState::Serving);
  EXPECT_EQ(catalog_.held(), 3U);
  EXPECT_TRUE(catalog_.erase_override("freeze", kNow + 1min));
  EXPECT_EQ(catalog_.revision(), revision + 1);
  EXPECT_EQ(shown("a"), model::HealthState::Failing);
  EXPECT_TRUE(catalog_.records().statuses.at("eu-1/n1").silent);
  EXPECT_EQ(catalog_.held(), 0U);
}

TEST_F(FreezeTest, nothing_is_forgotten_before_the_thaw) {
  catalog_.erase_override("freeze", kNow);
  catalog_.apply_full("eu-1/n2", {endpoint("eu-1/n2", "a")}, {"files"}, kNow);
  catalog_.set_status("eu-1/n1", {true, false, kNow}, kNow);
  catalog_.put_override(freeze(), kNow);
  catalog_.forget(1h, kNow + 2h);
  EXPECT_THAT(catalog_.records().endpoints, SizeIs(3));
  catalog_.erase_override("freeze", kNow + 2h);
  catalog_.forget(1h, kNow + 2h);
  EXPECT_THAT(catalog_.records().endpoints, SizeIs(1));
}

TEST_F(FreezeTest, a_freeze_that_becomes_another_action_is_a_thaw) {
  report("a", model::HealthState::Failing);
  model::Override drain = freeze();
  drain.action = model::Action::Drain;
  drain.target = {model::TargetKind::Node, "n1"};
  catalog_.put_override(drain, kNow);
  EXPECT_FALSE(catalog_.frozen());
  EXPECT_EQ(shown("a"), model::HealthState::Failing);
}

TEST_F(FreezeTest, what_is_told_is_judged_by_what_was_told_before_not_by_what_is_shown) {
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/a"}, kNow);
  EXPECT_EQ(catalog_.latest_endpoint("eu-1/n1/a"), nullptr);
  EXPECT_TRUE(catalog_.records().endpoints.contains("eu-1/n1/a"));
  report("a", model::HealthState::Pending);  // a new one of that name: its last word does not count any more
  EXPECT_EQ(catalog_.latest_endpoint("eu-1/n1/a")->health.state, model::HealthState::Pending);
  report("b", model::HealthState::Failing);
  report("b", model::HealthState::Pending);  // its agent has started anew
  EXPECT_EQ(catalog_.latest_endpoint("eu-1/n1/b")->health.state, model::HealthState::Failing);
}

TEST_F(FreezeTest, a_node_that_came_meanwhile_is_known_and_not_shown) {
  catalog_.put_node(node("n2"), kNow);
  EXPECT_TRUE(catalog_.knows_node("eu-1/n2"));
  EXPECT_FALSE(catalog_.records().nodes.contains("eu-1/n2"));
  catalog_.withdraw("eu-1/n1", kNow);
  EXPECT_FALSE(catalog_.knows_node("eu-1/n1"));
  EXPECT_TRUE(catalog_.records().nodes.contains("eu-1/n1"));
}

TEST_F(FreezeTest, changes_are_never_more_than_there_is_room_for_records) {
  catalog_.set_capacity(catalog_.size() + 4);  // two endpoints, each with a service
  std::vector<model::Endpoint> many;
  for (int i = 0; i < 10; ++i) many.push_back(endpoint("eu-1/n1", "new" + std::to_string(i)));
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", many, {}, kNow), SizeIs(8));
  EXPECT_THAT(catalog_.apply_delta("eu-1/n1", many, {}, kNow), SizeIs(8)) << "what waits is known, and can change";
  EXPECT_EQ(catalog_.held(), 2U);
  catalog_.apply_delta("eu-1/n1", {}, {"eu-1/n1/new0"}, kNow);
  EXPECT_TRUE(catalog_.has_room());
}

// An operator's new object that names a host outside would have no endpoint until the thaw.
TEST_F(FreezeTest, a_hostname_that_was_never_resolved_is_taken_and_then_stands_still) {
  catalog_.set_external_name("db.example.net", {{IpAddress::v4(1)}}, kNow);
  catalog_.set_external_name("db.example.net", {{IpAddress::v4(2)}}, kNow);
  EXPECT_EQ(catalog_.records().external_names.at("db.example.net").addresses.front(), IpAddress::v4(1));
  EXPECT_EQ(catalog_.held(), 1U);
}

TEST_F(FreezeTest, what_is_restored_is_not_held) {
  catalog_.mirror(endpoint("eu-1/n1", "c"));
  catalog_.mirrored(catalog_.revision() + 1, kNow);
  EXPECT_TRUE(catalog_.records().endpoints.contains("eu-1/n1/c"));
}

/// The same told to two catalogs, of which one is frozen from time to time.
class Twins {
 public:
  explicit Twins(std::uint32_t seed) : random_(seed) {}

  void step() {
    now_ += 1s;
    const std::string name = "n" + std::to_string(below(3));
    const std::string key = "eu-1/" + name;
    switch (below(7)) {
      case 0: return both([&](Catalog& catalog) { catalog.put_node(node(name), now_); });
      case 1: {
        const auto endpoints = some(key);
        return both([&](Catalog& catalog) { catalog.apply_full(key, endpoints, {"files"}, now_); });
      }
      case 2:
      case 3: {
        const auto endpoints = some(key);
        const std::vector<std::string> gone = {key + "/" + letter()};
        return both([&](Catalog& catalog) { catalog.apply_delta(key, endpoints, gone, now_); });
      }
      case 4: return both([&](Catalog& catalog) { catalog.withdraw(key, now_); });
      case 5: {
        const model::NodeStatus status{below(2) == 0, below(2) == 0, now_};
        return both([&](Catalog& catalog) { catalog.set_status(key, status, now_); });
      }
      default: {
        const model::ClusterStatus status{{{"us-1", std::chrono::milliseconds(below(3))}}, {}};
        return both([&](Catalog& catalog) { catalog.set_cluster_status("eu-1", status, now_); });
      }
    }
  }
  void set_frozen(bool frozen) {
    frozen ? frozen_.put_override(freeze(), now_) : static_cast<void>(frozen_.erase_override("freeze", now_));
  }
  void expect_equal() const {
    const model::Records& a = frozen_.records();
    const model::Records& b = free_.records();
    EXPECT_EQ(a.nodes, b.nodes);
    EXPECT_EQ(a.statuses, b.statuses);
    EXPECT_EQ(a.endpoints, b.endpoints);
    EXPECT_EQ(a.cluster_statuses, b.cluster_statuses);
    EXPECT_EQ(counts(a), counts(b));
    EXPECT_EQ(frozen_.held(), 0U);
  }
  void expect_still(const model::Records& before) const {
    EXPECT_EQ(frozen_.records().endpoints, before.endpoints);
    EXPECT_EQ(frozen_.records().nodes, before.nodes);
    EXPECT_EQ(frozen_.records().statuses, before.statuses);
  }
  const model::Records& shown() const { return frozen_.records(); }
  int below(int limit) { return static_cast<int>(random_() % static_cast<std::uint32_t>(limit)); }

 private:
  /// Services without endpoints are left out: one that came and went during the freeze was never there.
  static std::map<model::ServiceKey, std::uint32_t> counts(const model::Records& records) {
    std::map<model::ServiceKey, std::uint32_t> out;
    for (const auto& [key, service] : records.services) {
      if (service.endpoints > 0) out[key] = service.endpoints;
    }
    return out;
  }
  std::string letter() { return std::string(1, static_cast<char>('a' + below(4))); }
  std::vector<model::Endpoint> some(const std::string& node) {
    std::map<std::string, model::Endpoint> out;
    for (int i = below(4); i > 0; --i) {
      model::Endpoint one = endpoint(node, letter());
      one.service = below(4) == 0 ? "other" : "web";
      one.weight = static_cast<std::uint32_t>(below(3));
      one.health.state = static_cast<model::HealthState>(below(4));
      one.health.streak = static_cast<std::uint32_t>(below(4));
      one.health.needed = 3;
      one.health.since = now_ - std::chrono::seconds(below(3));
      out[one.key] = one;
    }
    std::vector<model::Endpoint> list;
    for (auto& [key, one] : out) list.push_back(std::move(one));
    return list;
  }
  template <class F>
  void both(F tell) {
    tell(frozen_);
    tell(free_);
  }

  std::mt19937 random_;
  TimePoint now_ = kNow;
  Catalog frozen_;
  Catalog free_;
};

TEST(FreezeProperty, held_and_thawed_is_as_if_it_had_never_been_frozen) {
  const char* given = std::getenv("MESHDNS_SEED");
  const auto first = given == nullptr ? 1U : static_cast<std::uint32_t>(std::stoul(given));
  for (std::uint32_t seed = first; seed < first + 200; ++seed) {
    SCOPED_TRACE("MESHDNS_SEED=" + std::to_string(seed));
    Twins twins(seed);
    for (int round = 0; round < 5; ++round) {
      for (int i = twins.below(10); i > 0; --i) twins.step();
      twins.set_frozen(true);
      const model::Records before = twins.shown();
      for (int i = twins.below(30); i > 0; --i) twins.step();
      twins.expect_still(before);
      twins.set_frozen(false);
      twins.expect_equal();
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace meshdns::catalog
