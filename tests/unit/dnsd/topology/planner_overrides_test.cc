#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "dnsd/topology/planner.h"
#include "dnsd/topology/words.h"

namespace meshdns::topology {
namespace {

using model::Action;
using model::TargetKind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kNow{1h};

model::Override word(Action action, TargetKind kind, const std::string& name) {
  model::Override out;
  out.meta.name = std::string(target_kind_name(kind)) + "-" + name;
  out.target = {kind, name};
  out.action = action;
  return out;
}

class PlannerOverridesTest : public testing::Test {
 protected:
  PlannerOverridesTest() {
    add_node("eu-1/n1", "eu", "eu-a");
    add_node("eu-1/n2", "eu", "eu-b");
    add_node("us-1/n1", "us", "us-a");
    add("eu-1/n1", "web");
    add("eu-1/n2", "web");
    add("eu-1/n1", "db");
    add("us-1/n1", "log");
    planner_.configure({{"mesh.internal"}, "{service}.{namespace}.{zone}"}, [](const std::string&) { return false; });
  }

  void add_node(const std::string& key, const std::string& region, const std::string& zone) {
    model::Node& node = records_.nodes[key];
    node.key = key;
    node.locality = {"", region, zone, "", key.substr(0, key.find('/')), key.substr(key.find('/') + 1)};
  }
  model::Endpoint& add(const std::string& node, const std::string& service) {
    model::Endpoint& out = records_.endpoints[node + "/" + service];
    out.key = node + "/" + service;
    out.node = node;
    out.namespace_ = "shop";
    out.service = service;
    out.addresses = {IpAddress::v4(0x0A000000 + static_cast<std::uint32_t>(records_.endpoints.size()))};
    out.ports = {{"http", 8080, "TCP", ""}};
    out.health.state = model::HealthState::Serving;
    ++records_.services[{"shop", service}].endpoints;
    planner_.endpoint_entered(out);
    planner_.service_changed({"shop", service});
    return out;
  }
  /// What one more override would empty.
  std::vector<std::string> emptied(const model::Override& more) {
    Overrides after = records_.overrides;
    after[more.meta.name] = more;
    return planner_.emptied(more.target, kNow, after);
  }

  model::Records records_;
  Planner planner_{records_};
};

TEST_F(PlannerOverridesTest, hosts_that_have_nothing_elsewhere_are_emptied) {
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Node, "eu-1/n1")), ElementsAre("db.shop.mesh.internal"));
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Zone, "eu-b")), IsEmpty());
  EXPECT_THAT(emptied(word(Action::Down, TargetKind::Cluster, "eu-1")),
              ElementsAre("db.shop.mesh.internal", "web.shop.mesh.internal"));
  EXPECT_THAT(emptied(word(Action::Down, TargetKind::Service, "shop/log")), ElementsAre("log.shop.mesh.internal"));
  EXPECT_THAT(emptied(word(Action::Down, TargetKind::Endpoint, "us-1/n1/log")), ElementsAre("log.shop.mesh.internal"));
  EXPECT_THAT(emptied(word(Action::Down, TargetKind::Node, "nobody")), IsEmpty());
}

TEST_F(PlannerOverridesTest, what_does_not_serve_now_cannot_be_emptied_and_other_overrides_count) {
  records_.overrides["z"] = word(Action::Drain, TargetKind::Zone, "eu-b");
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Node, "eu-1/n1")),
              ElementsAre("db.shop.mesh.internal", "web.shop.mesh.internal"));
  records_.endpoints.at("eu-1/n1/db").health.state = model::HealthState::Failing;
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Node, "eu-1/n1")), ElementsAre("web.shop.mesh.internal"));
  records_.overrides["up"] = word(Action::Up, TargetKind::Endpoint, "eu-1/n2/web");
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Node, "eu-1/n1")), IsEmpty());
}

TEST_F(PlannerOverridesTest, external_endpoints_serve_too) {
  model::VirtualDestination& object = records_.destinations["shop/db"];
  object.meta.name = "db";
  object.meta.namespace_ = "shop";
  object.hosts = {"db.mesh.internal"};
  object.services = {{"", "db", {}, {}, {}}};
  planner_.destination_changed("shop/db");
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Node, "eu-1/n1")),
              ElementsAre("db.mesh.internal", "db.shop.mesh.internal"));
  object.external_endpoints.push_back({IpAddress::v4(0xC0000201), "", 5432, {}, 1});
  planner_.destination_changed("shop/db");
  EXPECT_THAT(emptied(word(Action::Drain, TargetKind::Node, "eu-1/n1")), ElementsAre("db.shop.mesh.internal"));
  records_.overrides["n"] = word(Action::Drain, TargetKind::Node, "eu-1/n1");
  EXPECT_THAT(emptied(word(Action::Down, TargetKind::Endpoint, "192.0.2.1")), ElementsAre("db.mesh.internal"));
}

std::string text_of(const HostPlan& plan) {
  std::string out = plan.name + ":";
  for (const Candidate& candidate : plan.candidates) {
    out += " " + candidate.key + " " + std::string(standing_name(candidate.standing)) + " (" + candidate.why + ")";
  }
  return out;
}

// An override touches the hosts that it is for: what the planner goes on from is what it would make anew.
TEST_F(PlannerOverridesTest, after_each_override_the_plans_are_as_if_made_anew) {
  const char* given = std::getenv("MESHDNS_SEED");
  const auto seed = given == nullptr ? 1U : static_cast<std::uint32_t>(std::stoul(given));
  SCOPED_TRACE("MESHDNS_SEED=" + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<model::OverrideTarget> targets = {
      {TargetKind::Endpoint, "eu-1/n1/web"},   {TargetKind::Endpoint, "10.0.0.2"},
      {TargetKind::Endpoint, "10.0.0.3:8080"}, {TargetKind::Node, "n1"},
      {TargetKind::Node, "eu-1/n2"},           {TargetKind::Zone, "eu-a"},
      {TargetKind::Zone, "us/us-a"},           {TargetKind::Cluster, "eu-1"},
      {TargetKind::Service, "shop/web"}};
  std::map<std::string, std::string> plans;
  for (int i = 0; i < 500; ++i) {
    const auto& target = targets[random() % targets.size()];
    model::Override next = word(static_cast<Action>(random() % 3), target.kind, target.name);
    next.reason = std::to_string(i);
    if (const auto found = records_.overrides.find(next.meta.name); found != records_.overrides.end()) {
      const model::Override before = found->second;
      records_.overrides.erase(found);
      planner_.override_changed(before);
    }
    if (random() % 2 == 0) {
      records_.overrides[next.meta.name] = next;
      planner_.override_changed(next);
    }
    for (const HostPlan& plan : planner_.take(kNow).put) plans[plan.name] = text_of(plan);
    for (const auto& [host, text] : plans) ASSERT_EQ(text, text_of(*planner_.plan(host, kNow))) << "step " << i;
  }
  EXPECT_EQ(plans.size(), 3U);
}

TEST(Words, of_several_freezes_the_oldest_is_told) {
  Overrides overrides;
  EXPECT_EQ(freeze_among(overrides), nullptr);
  EXPECT_EQ(frozen_text(overrides), "");
  for (const std::int64_t created : {20, 10}) {
    model::Override freeze;
    freeze.action = Action::Freeze;
    freeze.meta.created = created;
    freeze.author = "alice";
    freeze.reason = std::to_string(created);
    overrides[freeze.reason] = freeze;
  }
  EXPECT_EQ(frozen_text(overrides), "by alice: 10");
}

TEST(Words, those_are_over_whose_second_has_come) {
  Overrides overrides;
  overrides["never"] = {};
  overrides["a"].expires = 100;
  EXPECT_THAT(expired(overrides, 99), IsEmpty());
  EXPECT_THAT(expired(overrides, 100), ElementsAre("a"));
}

// A drained endpoint was shown as draining for as long as it had served.
TEST(Words, what_an_override_changes_is_so_since_the_override) {
  model::Override word;
  word.meta.created = 1000;
  const auto said_at = [&word](Action action, Standing before) {
    word.action = action;
    Candidate candidate;
    candidate.standing = before;
    obey(word, candidate);
    return candidate.said_at;
  };
  EXPECT_EQ(said_at(Action::Drain, Standing::Serving), 1000);
  EXPECT_EQ(said_at(Action::Down, Standing::Serving), 1000);
  EXPECT_EQ(said_at(Action::Up, Standing::Failing), 1000);
  EXPECT_EQ(said_at(Action::Drain, Standing::Failing), 0) << "it fails for as long as without the drain";
  EXPECT_EQ(said_at(Action::Up, Standing::Serving), 0);
}

TEST_F(PlannerOverridesTest, a_search_in_small_steps_finds_the_same) {
  add("us-1/n1", "db");
  const std::vector<std::pair<model::OverrideTarget, std::vector<std::string>>> cases = {
      {{TargetKind::Cluster, "eu-1"}, {"db.shop.mesh.internal", "web.shop.mesh.internal"}},
      {{TargetKind::Zone, "eu-b"}, {"web.shop.mesh.internal"}},
      {{TargetKind::Zone, "eu/eu-a"}, {"db.shop.mesh.internal", "web.shop.mesh.internal"}},
      {{TargetKind::Node, "us-1/n1"}, {"db.shop.mesh.internal", "log.shop.mesh.internal"}},
      {{TargetKind::Node, "n2"}, {"web.shop.mesh.internal"}},
      {{TargetKind::Service, "shop/log"}, {"log.shop.mesh.internal"}},
      {{TargetKind::Endpoint, "eu-1/n2/web"}, {"web.shop.mesh.internal"}},
      {{TargetKind::Endpoint, "10.0.0.4"}, {"log.shop.mesh.internal"}},
      {{TargetKind::Endpoint, "10.0.0.3:8080"}, {"db.shop.mesh.internal"}},
      {{TargetKind::Endpoint, "10.0.0.3:8081"}, {}},
      {{TargetKind::Service, "shop"}, {}}};
  for (const auto& [target, hosts] : cases) {
    for (const std::size_t steps : {1UL, 2UL, 1000UL}) {
      Planner::HitSearch search{.targets = {target, target}};
      std::size_t turns = 1;
      while (!planner_.search(search, steps)) ASSERT_LE(++turns, 20U);
      EXPECT_THAT(search.hosts, testing::ElementsAreArray(hosts)) << target_text(target) << " by " << steps;
      EXPECT_EQ(search.known.empty(), hosts.empty());
    }
  }
}

// Guards the size of a step: whole nodes that are not hit are one, however many endpoints they have.
TEST_F(PlannerOverridesTest, a_search_passes_over_the_endpoints_of_other_nodes) {
  for (int i = 0; i < 1000; ++i) add("us-1/n1", "s" + std::to_string(i));
  Planner::HitSearch search{.targets = {{TargetKind::Node, "eu-1/n1"}}};
  EXPECT_TRUE(planner_.search(search, 10));
  EXPECT_THAT(search.hosts, ElementsAre("db.shop.mesh.internal", "web.shop.mesh.internal"));
}

}  // namespace
}  // namespace meshdns::topology
