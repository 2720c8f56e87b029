#include "common/model/policy.h"

#include <gtest/gtest.h>

#include "common/model/objects.h"

namespace meshdns::model {
namespace {

Locality at(const std::string& region, const std::string& zone = "", const std::string& cluster = "") {
  Locality out;
  out.region = region;
  out.zone = zone;
  out.cluster = cluster;
  return out;
}

TEST(Covers, every_part_that_is_given_is_equal) {
  EXPECT_TRUE(covers(at("eu"), at("eu", "eu-a")));
  EXPECT_TRUE(covers({}, at("eu")));
  EXPECT_TRUE(covers({}, {}));
  EXPECT_FALSE(covers(at("eu", "eu-a"), at("eu")));
  EXPECT_FALSE(covers(at("eu"), at("us")));
}

TEST(SelectorText, names_the_parts) {
  EXPECT_EQ(selector_text(at("us", "us-a")), "region=us,zone=us-a");
  EXPECT_EQ(selector_text({}), "everywhere");
}

TEST(RuleFor, is_the_one_with_the_most_parts_and_then_the_first) {
  const std::vector<Failover> rules = {{{}, {at("1")}},
                                       {at("eu"), {at("2")}},
                                       {at("eu"), {at("3")}},
                                       {at("eu", "eu-a"), {at("4")}},
                                       {at("us", "x"), {}}};
  const auto place = [&](const Locality& client) { return rule_for(rules, client)->to.at(0).region; };
  EXPECT_EQ(place(at("ap")), "1");
  EXPECT_EQ(place({}), "1");
  EXPECT_EQ(place(at("eu", "eu-b")), "2");
  EXPECT_EQ(place(at("eu", "eu-a")), "4");
  EXPECT_EQ(rule_for(std::vector<Failover>{{at("eu"), {}}}, at("us")), nullptr);
  EXPECT_EQ(rule_for(std::vector<Distribute>{}, at("us")), nullptr);
}

TEST(Fence, within_looks_at_what_the_part_implies) {
  const Fence zone{.within = Part::Zone};
  EXPECT_TRUE(zone.admits(at("eu", "a"), at("eu", "a")));
  EXPECT_FALSE(zone.admits(at("eu", "a"), at("us", "a")));
  EXPECT_FALSE(zone.admits(at("", "a"), at("", "a")));
  EXPECT_TRUE(zone.is_unknown(at("", "a")));
  EXPECT_FALSE(zone.is_unknown(at("eu", "a")));
  EXPECT_EQ(zone.client_parts(), with_implied(Part::Zone));
}

TEST(Fence, all_lists_hold_for_who_states_the_part) {
  const Fence fence{.within = {}, .regions = {"eu", "us"}, .zones = {"a"}, .clusters = {}};
  EXPECT_TRUE(fence.admits({}, at("us", "a")));
  EXPECT_FALSE(fence.admits({}, at("us", "b")));
  EXPECT_FALSE(fence.admits({}, at("", "a")));
  EXPECT_FALSE(fence.is_unknown({}));
  EXPECT_EQ(fence.client_parts(), 0);
}

TEST(LabelExpression, holds_as_in_kubernetes) {
  using enum LabelExpression::Operator;
  const Labels one = {{"v", "1"}};
  const auto holds = [](LabelExpression::Operator op, const Labels& labels) {
    return LabelExpression{"v", op, {"1", "2"}}.holds(labels);
  };
  EXPECT_TRUE(holds(In, one));
  EXPECT_FALSE(holds(In, {{"v", "3"}}));
  EXPECT_FALSE(holds(In, {}));
  EXPECT_FALSE(holds(NotIn, one));
  EXPECT_TRUE(holds(NotIn, {{"v", "3"}}));
  EXPECT_TRUE(holds(NotIn, {}));
  EXPECT_TRUE(holds(Exists, one));
  EXPECT_FALSE(holds(Exists, {{"w", "1"}}));
  EXPECT_FALSE(holds(DoesNotExist, one));
  EXPECT_TRUE(holds(DoesNotExist, {{"w", "1"}}));
}

}  // namespace
}  // namespace meshdns::model
