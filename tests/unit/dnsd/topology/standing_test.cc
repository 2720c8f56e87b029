// How endpoints stand beside others: addresses that several claim, and endpoints that nobody checks.
#include <algorithm>
#include <string>

#include "tests/unit/dnsd/topology/plan_fixture.h"

namespace meshdns::topology {
namespace {

using enum model::HealthState;

class StandingTest : public PlanFixture {};

// ---- addresses that several claim ----

TEST_F(StandingTest, an_address_belongs_to_the_node_that_is_heard) {
  add_node("eu-1", "n2");
  add("eu-1/n1", "a", "pay");
  add("eu-1/n2", "b", "zads");
  EXPECT_EQ(host("pay.shop.mesh.internal").candidates.at(0).standing, Standing::Serving) << "both are heard";
  records_.statuses["eu-1/n1"] = {true, true, TimePoint{1h}};
  const Candidate lost = host("pay.shop.mesh.internal").candidates.at(0);
  EXPECT_EQ(lost.standing, Standing::Out);
  EXPECT_TRUE(lost.displaced);
  EXPECT_EQ(lost.why, "10.0.0.11 belongs to eu-1/n2 (shop/zads)");
  EXPECT_EQ(lost.address_text(), "10.0.0.11:8080");
  EXPECT_EQ(host("zads.shop.mesh.internal").candidates.at(0).standing, Standing::Serving);
  records_.statuses["eu-1/n2"] = {true, true, TimePoint{1h}};
  EXPECT_EQ(host("pay.shop.mesh.internal").candidates.at(0).standing, Standing::Silent) << "neither is heard";
}

TEST_F(StandingTest, of_two_that_are_heard_the_newer_session_has_the_address) {
  add_node("eu-1", "n2");
  add("eu-1/n1", "a", "pay");
  add("eu-1/n2", "b", "zads");
  records_.nodes["eu-1/n1"].session = 8;
  records_.nodes["eu-1/n2"].session = 7;
  EXPECT_EQ(host("zads.shop.mesh.internal").candidates.at(0).standing, Standing::Out);
  records_.nodes["eu-1/n2"].session = 9;
  EXPECT_EQ(host("zads.shop.mesh.internal").candidates.at(0).standing, Standing::Serving);
  EXPECT_EQ(host("pay.shop.mesh.internal").candidates.at(0).standing, Standing::Out);
  records_.endpoints["eu-1/n2/b"].health.state = Pending;
  EXPECT_EQ(host("pay.shop.mesh.internal").candidates.at(0).standing, Standing::Serving)
      << "an endpoint that never answered has nothing";
}

// Guards the control thread: two agents that claim one address for 10,000 endpoints each would stop it for minutes.
TEST_F(StandingTest, an_address_with_very_many_claims_is_shared) {
  add_node("eu-1", "n2");
  records_.nodes["eu-1/n1"].session = 7;
  records_.nodes["eu-1/n2"].session = 8;
  for (std::size_t i = 0; i < AddressClaims::kMostClaims / 2; ++i) {
    add("eu-1/n1", "a" + std::to_string(i), "old");
    add("eu-1/n2", "b" + std::to_string(i), "new");
  }
  const auto of_old = [&](Standing standing) {
    return std::ranges::count(host("old.shop.mesh.internal").candidates, standing, &Candidate::standing);
  };
  EXPECT_EQ(of_old(Standing::Out), static_cast<std::ptrdiff_t>(AddressClaims::kMostClaims / 2));
  const model::Endpoint& last = add("eu-1/n2", "last", "new");
  EXPECT_EQ(of_old(Standing::Serving), static_cast<std::ptrdiff_t>(AddressClaims::kMostClaims / 2));

  AddressClaims claims(records_);
  const auto rivals = [&] {
    std::size_t count = 0;
    claims.for_rivals(last, [&](const model::Endpoint&) { ++count; });
    return count;
  };
  for (const auto& [key, endpoint] : records_.endpoints) claims.endpoint_entered(endpoint);
  EXPECT_EQ(rivals(), AddressClaims::kMostClaims / 2) << "for whom it is another state than before";
  claims.endpoint_entered(add("eu-1/n2", "one more", "new"));
  EXPECT_EQ(rivals(), 0U) << "nobody stands otherwise for one more or less";
}

TEST_F(StandingTest, a_machine_that_has_the_address_of_a_silent_one_has_its_endpoints_addresses) {
  add_node("eu-1", "n2");
  add("eu-1/n1", "a");
  records_.nodes["eu-1/n2"].addresses = {IpAddress::v4(0x0A00000B)};
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).standing, Standing::Serving);
  records_.statuses["eu-1/n1"] = {true, true, TimePoint{1h}};
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).standing, Standing::Out);
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).why, "10.0.0.11 belongs to eu-1/n2");
  const IpAddress own = IpAddress::v4(0x7F000001);
  records_.endpoints["eu-1/n1/a"].addresses = records_.nodes["eu-1/n2"].addresses = {own};
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).standing, Standing::Silent)
      << "every machine has 127.0.0.1";
}

TEST_F(StandingTest, two_machines_that_listen_on_127_0_0_1_do_not_claim_one_address) {
  add_node("eu-1", "n2");
  for (model::Endpoint* endpoint : {&add("eu-1/n1", "a", "pay"), &add("eu-1/n2", "b", "zads")}) {
    endpoint->addresses = {IpAddress::v4(0x7F000001)};
  }
  records_.nodes["eu-1/n1"].session = 7;
  records_.nodes["eu-1/n2"].session = 8;
  EXPECT_EQ(host("pay.shop.mesh.internal").candidates.at(0).standing, Standing::Serving);
  EXPECT_EQ(host("zads.shop.mesh.internal").candidates.at(0).standing, Standing::Serving);
}

TEST_F(StandingTest, only_the_lost_address_of_two_goes) {
  add_node("eu-1", "n2");
  const IpAddress v6 = *IpAddress::parse("fd00::1");
  add("eu-1/n1", "a").addresses.push_back(v6);
  add("eu-1/n2", "b", "other");
  records_.statuses["eu-1/n1"] = {true, true, TimePoint{1h}};
  const Candidate left = host("web.shop.mesh.internal").candidates.at(0);
  EXPECT_FALSE(left.v4.has_value());
  EXPECT_EQ(left.v6, v6);
  EXPECT_EQ(left.standing, Standing::Silent);
  EXPECT_FALSE(left.displaced);
}

TEST_F(StandingTest, other_networks_other_ports_and_other_clusters_without_network_have_addresses_of_their_own) {
  add_node("eu-1", "n2");
  add("eu-1/n1", "a");
  add("us-1/n2", "b", "us");
  add("eu-1/n2", "c", "port").ports = {{"http", 9090, "TCP", ""}};
  records_.statuses["eu-1/n1"] = {true, true, TimePoint{1h}};
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).standing, Standing::Silent);
  records_.nodes["eu-1/n1"].locality.network = "corp";
  records_.nodes["us-1/n2"].locality.network = "lab";
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).standing, Standing::Silent);
  records_.nodes["us-1/n2"].locality.network = "corp";
  EXPECT_EQ(host("web.shop.mesh.internal").candidates.at(0).standing, Standing::Out) << "one network, two clusters";
}

// ---- endpoints that nobody checks ----

TEST_F(StandingTest, an_endpoint_that_its_agent_does_not_check_is_in_doubt_then_silent) {
  add("eu-1/n1", "a").unwatched = true;
  add("eu-1/n1", "b");
  Candidate first = host("web.shop.mesh.internal").candidates.at(0);
  EXPECT_EQ(first.standing, Standing::Serving);
  EXPECT_TRUE(first.in_doubt);
  EXPECT_EQ(first.why, "its agent does not check it");
  records_.statuses["eu-1/n1"] = {
      .since = TimePoint{50min}, .problem = "does not read endpoints.d: a.yaml:7:5: no", .unwatched = true};
  first = host("web.shop.mesh.internal").candidates.at(0);
  EXPECT_EQ(first.standing, Standing::Silent);
  EXPECT_EQ(first.why, "n1 does not read endpoints.d: a.yaml:7:5: no");
  EXPECT_EQ(first.since, TimePoint{50min});
  const Candidate second = host("web.shop.mesh.internal").candidates.at(1);
  EXPECT_EQ(second.standing, Standing::Serving);
  EXPECT_FALSE(second.in_doubt);
  EXPECT_EQ(second.why, "");
}

}  // namespace
}  // namespace meshdns::topology
