#include "dnsd/topology/steps.h"

#include <gtest/gtest.h>

#include "common/base/text.h"

namespace meshdns::topology {
namespace {

const model::Locality kClient{"corp", "eu", "eu-a", "rack-3", "c1", "n1"};

/// "cluster:c1+zone:eu-a"; "*" = nothing is given
model::Locality selector(const std::string& text) {
  model::Locality out;
  if (text == "*") return out;
  for (const std::string_view entry : split(text, '+')) {
    const auto colon = entry.find(':');
    for (const model::Part part : model::kParts) {
      if (model::part_name(part) == entry.substr(0, colon)) out.part(part) = entry.substr(colon + 1);
    }
  }
  return out;
}

/// The names of the client's steps; the one place of the rule is "TO".
std::string steps_of(const std::string& ladder, const std::string& from) {
  model::Policy policy;
  policy.ladder.clear();
  for (const std::string_view rung : split(ladder, ' ')) policy.ladder.push_back(model::parse_rung(rung).value());
  policy.failover = {{selector(from), {{.cluster = "c9"}}}};
  const Steps steps(policy, kClient);
  std::string out;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    out += (i == 0 ? "" : " ") + (steps[i].rung == nullptr ? "TO" : steps[i].name());
  }
  return out;
}

constexpr const char* kDefault = "cluster+zone cluster zone region any";

// Guards failover inside a region: `from: {cluster: c1}, to: [c3, c2]` was silently ignored.
TEST(Steps, places_follow_the_last_rung_inside_from) {
  EXPECT_EQ(steps_of(kDefault, "region:eu"), "cluster+zone cluster zone region TO any");
  EXPECT_EQ(steps_of(kDefault, "zone:eu-a"), "cluster+zone cluster zone TO region any");
  EXPECT_EQ(steps_of(kDefault, "region:eu+zone:eu-a"), "cluster+zone cluster zone TO region any");
  EXPECT_EQ(steps_of(kDefault, "cluster:c1"), "cluster+zone cluster TO zone region any");
  EXPECT_EQ(steps_of(kDefault, "region:eu+cluster:c1"), "cluster+zone cluster TO zone region any");
  EXPECT_EQ(steps_of(kDefault, "zone:eu-a+cluster:c1"), "cluster+zone TO cluster zone region any");
  EXPECT_EQ(steps_of(kDefault, "*"), "cluster+zone cluster zone region TO any");
  EXPECT_EQ(steps_of("cluster network region any", "network:corp"), "cluster network TO region any");
  EXPECT_EQ(steps_of("node subzone zone any", "subzone:rack-3"), "node subzone TO zone any");
}

TEST(Steps, a_ladder_that_lacks_the_rung_gets_it_before_the_places) {
  EXPECT_EQ(steps_of("cluster any", "region:eu"), "cluster region TO any");
  EXPECT_EQ(steps_of("region any", "cluster:c1"), "cluster TO region any");
  EXPECT_EQ(steps_of("cluster region any", "zone:eu-a"), "cluster zone TO region any");
  EXPECT_EQ(steps_of("cluster+zone any", "cluster:c1"), "cluster+zone cluster TO any");
  EXPECT_EQ(steps_of("any", "zone:eu-a+cluster:c1"), "cluster+zone TO any");
  EXPECT_EQ(steps_of(kDefault, "network:corp"), "cluster+zone cluster zone region network TO any");
}

TEST(Steps, where_no_wider_rung_follows_the_places_are_the_last) {
  EXPECT_EQ(steps_of("zone", "region:eu"), "zone TO");
  EXPECT_EQ(steps_of("cluster region", "region:eu"), "cluster region TO");
}

TEST(Steps, what_is_the_clients_own_is_in_no_place) {
  model::Policy policy;
  policy.ladder = {model::parse_rung("zone").value()};
  policy.failover = {{{.cluster = "c1"}, {{.region = "eu"}}}};
  const Steps steps(policy, kClient);
  model::Locality place = kClient;
  place.zone = "eu-b";
  EXPECT_EQ(steps.of(place), std::nullopt);
  place.cluster = "c2";
  EXPECT_EQ(steps[steps.of(place).value()].name(), "failover region=eu");
}

TEST(Steps, own_parts_are_those_of_from_and_what_they_imply) {
  const auto parts = [](const std::string& from) {
    std::vector<std::string> out;
    for (const model::Part part : model::kParts) {
      if ((own_parts(selector(from)) >> static_cast<unsigned>(part)) & 1U) out.emplace_back(model::part_name(part));
    }
    return join(out, " ");
  };
  EXPECT_EQ(parts("*"), "region");
  EXPECT_EQ(parts("zone:a"), "region zone");
  EXPECT_EQ(parts("network:corp+region:eu+cluster:c1"), "cluster");
  EXPECT_EQ(parts("zone:a+cluster:c1"), "region zone cluster");
  EXPECT_EQ(parts("network:corp+region:eu"), "network region");
}

}  // namespace
}  // namespace meshdns::topology
