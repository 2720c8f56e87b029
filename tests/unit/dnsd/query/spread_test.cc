#include "dnsd/query/spread.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/dns/request.h"
#include "tests/support/mesh/asker.h"

namespace meshdns::query {
namespace {

using test::must;

/// web.mesh.internal: eu-1 with 5 of 10 endpoints serving (health 70), us-1 with all: loads 70 and 30. Clients are in
/// eu-1, each /24 of 10.0.0.0/12 a located prefix of its own.
class SpreadTest : public testing::Test {
 protected:
  static constexpr unsigned kPrefixes = 500;
  static constexpr std::uint32_t kTtl = 5;

  SpreadTest() {
    mesh.node("eu-1/n1");
    mesh.node("us-1/n1", "10.200.0.0/16");
    for (unsigned i = 0; i < kPrefixes; ++i) {
      mesh.records.nodes["eu-1/n1"].prefixes.push_back(Prefix::of(client_of(i), 24));
    }
    for (unsigned i = 0; i < 10; ++i) {
      auto& endpoint = mesh.endpoint("eu-1/n1", "shop/web", address("10.250.0.", i) + "," + address("fd00::", i));
      if (i >= 5) endpoint.health.state = model::HealthState::Failing;
      mesh.endpoint("us-1/n1", "shop/web", address("10.251.0.", i) + "," + address("fd01::", i));
    }
    mesh.destination("web").spill = model::Spill{140, 0};
    table = mesh.table();
    name = must(wire::parse_name("web.mesh.internal"));
  }

  static std::string address(const std::string& prefix, unsigned i) { return prefix + std::to_string(i + 1); }
  static IpAddress client_of(unsigned i) { return IpAddress::v4(0x0A000009U + (i << 8)); }

  /// 0 = eu-1, 1 = us-1
  std::size_t draw(const IpAddress& client, std::uint32_t second, const wire::ClientSubnet& subnet = {}) const {
    const answers::Host& host = *table->find(name, wire::hash_name(name)).host;
    const answers::Located located = table->where->locator.locate(client, 0, subnet);
    const answers::Set& set = table->set(host, located.place);
    EXPECT_TRUE(set.spread);
    return drawn_tier(host, set, {client, subnet, located, second});
  }

  test::SmallMesh mesh;
  std::shared_ptr<const answers::AnswerTable> table;
  std::vector<std::uint8_t> name;
};

TEST_F(SpreadTest, a_hundred_thousand_draws_are_within_one_percent_of_the_loads) {
  constexpr unsigned kSlots = 200;
  unsigned far = 0;
  for (unsigned i = 0; i < kPrefixes; ++i) {
    for (unsigned slot = 0; slot < kSlots; ++slot) far += static_cast<unsigned>(draw(client_of(i), slot * kTtl));
  }
  EXPECT_NEAR(100.0 * far / (kPrefixes * kSlots), 30.0, 1.0);
}

TEST_F(SpreadTest, each_prefix_and_each_slot_has_its_part) {
  for (unsigned i = 0; i < 20; ++i) {
    unsigned far = 0;
    for (unsigned slot = 0; slot < 5000; ++slot) far += static_cast<unsigned>(draw(client_of(i), slot * kTtl));
    EXPECT_NEAR(far / 50.0, 30.0, 3.0) << "prefix " << i;
  }
  for (unsigned slot = 0; slot < 20; ++slot) {
    unsigned far = 0;
    for (unsigned i = 0; i < kPrefixes; ++i) far += static_cast<unsigned>(draw(client_of(i), slot * kTtl));
    EXPECT_NEAR(100.0 * far / kPrefixes, 30.0, 9.0) << "slot " << slot;
  }
}

TEST_F(SpreadTest, a_draw_lasts_for_a_slot_and_slots_of_prefixes_begin_at_different_times) {
  std::set<std::uint32_t> phases;
  for (unsigned i = 0; i < 50; ++i) {
    std::uint32_t changes = 0;
    for (std::uint32_t second = 1; second < 1000; ++second) {
      if (draw(client_of(i), second) == draw(client_of(i), second - 1)) continue;
      ++changes;
      phases.insert(second % kTtl);
      EXPECT_EQ(draw(client_of(i), second), draw(client_of(i), second + kTtl - 1)) << "a slot is " << kTtl << " s";
    }
    EXPECT_GT(changes, 20U);
  }
  EXPECT_EQ(phases.size(), kTtl);
}

TEST_F(SpreadTest, clients_of_one_prefix_draw_alike) {
  for (std::uint32_t second = 0; second < 200; ++second) {
    const auto drawn = draw(client_of(3), second);
    EXPECT_EQ(draw(IpAddress::v4(client_of(3).v4_host_order() + 77), second), drawn);
  }
}

TEST_F(SpreadTest, all_types_and_families_show_the_same_tier) {
  test::Asker asker(table, "10.0.3.9");
  std::set<bool> seen;
  for (asker.unix_seconds = 0; asker.unix_seconds < 300; ++asker.unix_seconds) {
    const auto v4 = asker.ask("web.mesh.internal", wire::Type::A);
    const auto v6 = asker.ask("web.mesh.internal", wire::Type::AAAA);
    ASSERT_FALSE(v4.answer.empty());
    ASSERT_FALSE(v6.answer.empty());
    const bool far = v4.answer.front().find("10.251.") != std::string::npos;
    for (const auto& record : v4.answer) ASSERT_EQ(record.find("10.251.") != std::string::npos, far) << record;
    for (const auto& record : v6.answer) ASSERT_EQ(record.find("fd01::") != std::string::npos, far) << record;
    seen.insert(far);
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(SpreadTest, behind_a_forwarder_the_subnet_draws_and_the_scope_is_its_range) {
  mesh.settings.forwarders.push_back({must(Prefix::parse("192.0.2.10/32")), model::Part::Cluster});
  table = mesh.table();
  test::Asker asker(table, "192.0.2.10");
  std::set<std::string> seen;
  for (unsigned i = 0; i < 60; ++i) {
    test::EdnsRequest edns;
    edns.subnet(client_of(i).text() + "/32");
    const auto reply = asker.ask_edns("web.mesh.internal", wire::Type::A, edns);
    EXPECT_TRUE(reply.subnet().ends_with("/24")) << reply.subnet();
    ASSERT_FALSE(reply.answer.empty());
    const bool far = reply.answer.front().find("10.251.") != std::string::npos;
    EXPECT_EQ(far ? 1U : 0U, draw(client_of(i), 0)) << "as if it had asked itself";
    seen.insert(far ? "far" : "near");
  }
  EXPECT_EQ(seen.size(), 2U);
}

}  // namespace
}  // namespace meshdns::query
