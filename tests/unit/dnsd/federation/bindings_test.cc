#include "dnsd/federation/bindings.h"

#include <random>

#include "common/base/random_seed.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kPodKey = "eu-1/n1/pod/u1";

Sample pod(const std::string& uid = "u1", model::HealthState state = model::HealthState::Serving) {
  return {.key = "pod/" + uid, .service = "", .state = state, .source = "kubernetes", .uid = uid};
}

model::Override freeze() {
  model::Override out;
  out.meta.name = "freeze";
  out.action = model::Action::Freeze;
  return out;
}

class BindingsTest : public FederationTest {
 protected:
  Bindings& bindings() { return agents_.bindings(); }
  void put(const std::vector<std::string>& services, const std::string& uid = "u1", const std::string& node = "") {
    Binding binding{"shop", {}, node};
    for (const std::string& service : services) binding.memberships.push_back({.service = service});
    bindings().put("eu-1", uid, std::move(binding), clock_.now());
  }
  std::vector<std::string> services(const std::string& key = kPodKey) const {
    std::vector<std::string> out;
    const model::Endpoint* found = catalog_.latest_endpoint(key);
    if (found == nullptr) return {"no endpoint"};
    for (const model::Membership& each : found->memberships) out.push_back(each.service);
    return out;
  }
  FakeAgent& with_pods(const std::vector<Sample>& pods) {
    FakeAgent& agent = connect();
    agent.hello();
    std::vector<std::string> records;
    for (const Sample& sample : pods) records.push_back(encoded(sample));
    agent.full(records, {0, true, {"kubernetes"}});
    return agent;
  }
};

TEST_F(BindingsTest, the_halves_join_in_either_order) {
  put({"web", "api"});
  with_pods({pod()});
  EXPECT_THAT(services(), ElementsAre("api", "web"));
  EXPECT_EQ(catalog_.records().services.at({"shop", "web"}).endpoints, 1U);
  put({"web"});
  EXPECT_THAT(services(), ElementsAre("web"));
  EXPECT_EQ(catalog_.records().services.at({"shop", "api"}).endpoints, 0U);
  put({"web"}, "u2");
  EXPECT_EQ(bindings().size(), 2U);
}

TEST_F(BindingsTest, a_change_is_one_revision_and_what_is_equal_is_none) {
  with_pods({pod()});
  const std::uint64_t before = catalog_.revision();
  const int changes = changes_;
  put({"web"});
  EXPECT_EQ(catalog_.revision(), before + 1);
  EXPECT_EQ(changes_, changes + 1);
  put({"web"});
  put({"web"}, "elsewhere");
  bindings().listed("eu-1", clock_.now());
  EXPECT_EQ(catalog_.revision(), before + 1);
  EXPECT_EQ(changes_, changes + 1);
}

TEST_F(BindingsTest, a_report_of_health_keeps_the_memberships) {
  FakeAgent& agent = with_pods({pod()});
  put({"web"});
  agent.delta({encoded(pod("u1", model::HealthState::Failing))});
  EXPECT_EQ(record(kPodKey).health.state, model::HealthState::Failing);
  EXPECT_THAT(services(), ElementsAre("web"));
}

TEST_F(BindingsTest, a_missing_half_removes_nothing_before_the_list_is_complete) {
  model::Endpoint stored;
  stored.key = kPodKey;
  stored.node = "eu-1/n1";
  stored.source = "kubernetes";
  stored.namespace_ = "shop";
  stored.uid = "u1";
  stored.addresses = {IpAddress::v4(0x0A00000B)};
  stored.health.state = model::HealthState::Serving;
  stored.memberships = {{.service = "web"}};
  model::Node node;
  node.key = "eu-1/n1";
  node.locality = {.cluster = "eu-1", .node = "n1"};
  catalog_.put_node(node, clock_.now());
  catalog_.mirror(stored);
  catalog_.mirrored(catalog_.revision() + 1, clock_.now());
  with_pods({pod()});
  EXPECT_THAT(services(), ElementsAre("web")) << "no watcher has said a word";
  put({"api"}, "another");
  with_pods({pod()});
  EXPECT_THAT(services(), ElementsAre("web")) << "the watcher has not listed all";
  EXPECT_FALSE(bindings().is_listed("eu-1"));
  bindings().listed("EU-1", clock_.now());
  EXPECT_TRUE(bindings().is_listed("eu-1"));
  EXPECT_THAT(services(), IsEmpty());
}

TEST_F(BindingsTest, what_a_watcher_removes_goes_at_once) {
  with_pods({pod()});
  put({"web"});
  bindings().remove("eu-1", "u1", clock_.now());
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_EQ(bindings().size(), 0U);
}

TEST_F(BindingsTest, an_endpoint_that_goes_and_comes_back_is_joined_again) {
  FakeAgent& agent = with_pods({pod()});
  put({"web"});
  agent.delta({}, {"pod/u1"});
  EXPECT_THAT(keys(), IsEmpty());
  put({"web", "api"});
  agent.delta({encoded(pod())});
  EXPECT_THAT(services(), ElementsAre("api", "web"));
}

// Guards a Service against a node that reports a pod of another node under its own address.
TEST_F(BindingsTest, a_pod_is_joined_on_its_own_node_and_in_its_own_namespace) {
  with_pods({pod()});
  put({"web"}, "u1", "n2");
  EXPECT_THAT(services(), IsEmpty());
  put({"web"}, "u1", "N1");
  EXPECT_THAT(services(), ElementsAre("web"));
  bindings().put("eu-1", "u1", {"bank", {{.service = "web"}}, ""}, clock_.now());
  EXPECT_THAT(services(), IsEmpty());
  bindings().put("us-1", "u1", {"shop", {{.service = "web"}}, ""}, clock_.now());
  EXPECT_THAT(services(), IsEmpty()) << "another cluster's pod";
}

TEST_F(BindingsTest, only_pods_are_joined) {
  FakeAgent& agent = connect();
  agent.hello();
  Sample file = pod();
  file.key = "u1";
  Sample deeper = pod();
  deeper.key = "pod/x/u1";
  agent.full({encoded(file), encoded(deeper)}, {0, true, {"kubernetes"}});
  put({"web"});
  put({"web"}, "x/u1");
  EXPECT_THAT(services("eu-1/n1/u1"), IsEmpty());
  EXPECT_THAT(services("eu-1/n1/pod/x/u1"), IsEmpty());
}

TEST_F(BindingsTest, an_agent_cannot_say_which_services_list_a_pod) {
  FakeAgent& agent = connect();
  agent.hello();
  v1::Endpoint record;
  ASSERT_TRUE(record.ParseFromString(encoded(pod())));
  record.add_memberships()->set_service("bank");
  record.add_memberships()->set_service("a b");
  agent.full({record.SerializeAsString()}, {0, true, {"kubernetes"}});
  EXPECT_THAT(services(), IsEmpty());
  EXPECT_THAT(catalog_.records().services, IsEmpty());
}

TEST_F(BindingsTest, a_freeze_holds_them_back) {
  with_pods({pod()});
  catalog_.put_override(freeze(), clock_.now());
  const std::uint64_t before = catalog_.revision();
  put({"web"});
  put({"web", "api"});
  EXPECT_THAT(record(kPodKey).memberships, IsEmpty());
  EXPECT_EQ(catalog_.revision(), before);
  catalog_.erase_override("freeze", clock_.now());
  EXPECT_EQ(catalog_.revision(), before + 1);
  EXPECT_EQ(record(kPodKey).memberships.size(), 2U);
}

TEST_F(BindingsTest, what_no_record_can_hold_is_left_out_and_the_endpoint_stays) {
  with_pods({pod()});
  put({"web", "a b", "WEB", ""});
  EXPECT_THAT(services(), ElementsAre("web"));
  EXPECT_EQ(bindings().left_out(), 3U);
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i) many.push_back("s" + std::to_string(i));
  put(many);
  EXPECT_EQ(services().size(), model::kMostMemberships);
  EXPECT_EQ(bindings().left_out(), 3U + 36U);
  with_pods({pod()});
  EXPECT_EQ(services().size(), model::kMostMemberships) << "the agent's endpoint is taken with them";
}

TEST_F(BindingsTest, pods_that_are_gone_are_not_kept_for_ever) {
  put({"web"});
  FakeAgent& agent = with_pods({});
  for (int i = 0; i < 3000; ++i) {
    const std::string uid = "u" + std::to_string(i);
    agent.delta({encoded(pod(uid))});
    agent.delta({}, {"pod/" + uid});
    if (i % 100 == 0) bindings().tidy();
  }
  agent.delta({encoded(pod())});
  put({"api"});
  EXPECT_THAT(services(), ElementsAre("api"));
}

// Whatever the order in which agents and the watcher speak, the same is joined.
TEST_F(BindingsTest, the_order_of_what_is_said_does_not_matter) {
  const std::uint64_t seed = random_seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  FakeAgent& agent = with_pods({});
  for (int round = 0; round < 50; ++round) {
    std::vector<std::function<void()>> said;
    for (const std::string uid : {"u1", "u2", "u3"}) {
      said.emplace_back([&, uid] { agent.delta({encoded(pod(uid))}); });
      said.emplace_back([&, uid] { put({"web", "in-" + uid}, uid); });
    }
    said.emplace_back([&] { bindings().listed("eu-1", clock_.now()); });
    std::ranges::shuffle(said, random);
    for (const auto& say : said) say();
    for (const std::string uid : {"u1", "u2", "u3"}) {
      EXPECT_THAT(services("eu-1/n1/pod/" + uid), ElementsAre("in-" + uid, "web"));
    }
    EXPECT_EQ(catalog_.records().services.at({"shop", "web"}).endpoints, 3U);
    agent.delta({}, {"pod/u1", "pod/u2", "pod/u3"});
    for (const std::string uid : {"u1", "u2", "u3"}) bindings().remove("eu-1", uid, clock_.now());
    EXPECT_EQ(catalog_.records().services.at({"shop", "web"}).endpoints, 0U);
  }
}

// ---- rules about nodes ----

class BindingsWithRules : public BindingsTest {
 protected:
  void allow(const std::vector<std::string>& namespaces, std::optional<model::NodeQuota> quota = {}) {
    model::Cluster object;
    object.meta.name = "eu-1";
    object.agents = {{{"*"}, namespaces, {"files-*"}}};
    object.node_quota = quota;
    catalog_.put_cluster(object, clock_.now());
  }
};

TEST_F(BindingsWithRules, a_membership_is_no_claim_of_the_node) {
  allow({"shop"});
  with_pods({pod()});
  put({"web"});
  EXPECT_THAT(services(), ElementsAre("web"));
  advance(2s);  // the rules are looked at again
  EXPECT_THAT(services(), ElementsAre("web"));
  allow({"bank"});
  advance(2s);
  EXPECT_THAT(keys(), IsEmpty()) << "the namespace is the node's claim";
}

TEST_F(BindingsWithRules, pods_without_a_service_do_not_take_the_room_of_others) {
  allow({"shop"}, model::NodeQuota{.endpoints = 1});
  Sample named = pod("u2");
  named.service = "files-web";
  with_pods({pod("u1"), named});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/pod/u2"));
}

}  // namespace
}  // namespace meshdns::federation
