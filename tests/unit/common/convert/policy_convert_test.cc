#include "common/convert/policy_convert.h"

#include <functional>

#include "common/convert/first_error.h"

namespace meshdns::convert {
namespace {

using Policy = v1::VirtualDestinationSpec::Policy;
using Change = std::function<void(Policy&)>;

Result<model::Policy> converted(const Change& change) {
  Policy policy;
  change(policy);
  FirstError first;
  auto out = to_policy(policy, first);
  return std::move(first).or_value(std::move(out));
}

std::string said(const Change& change) {
  const auto out = converted(change);
  return out ? "ok" : out.error().message();
}

TEST(ToPolicy, of_nothing_is_the_default) {
  EXPECT_EQ(converted([](auto&) {}).value(), model::Policy{});
}

TEST(ToPolicy, ttls_are_whole_seconds) {
  EXPECT_EQ(said([](Policy& p) {
              p.mutable_ttl()->set_seconds(2);
              p.mutable_ttl()->set_nanos(500'000'000);
            }),
            "spec.policy.ttl: expected whole seconds");
  EXPECT_EQ(said([](Policy& p) {
              p.mutable_ttl_min()->set_seconds(1);
              p.mutable_ttl_min()->set_nanos(1);
            }),
            "spec.policy.ttlMin: expected whole seconds");
}

TEST(ToPolicy, takes_the_order_over) {
  const auto failover = converted([](Policy& p) {
                          auto& rule = *p.add_failover();
                          rule.mutable_from()->set_region("eu");
                          rule.add_to()->set_zone("us-a");
                          rule.add_to()->set_cluster("us-1");
                          p.mutable_fence()->set_within("zone");
                          p.mutable_fence()->add_regions("eu");
                          p.mutable_fence()->add_zones("eu-a");
                          p.mutable_fence()->add_clusters("eu-1");
                        }).value();
  const model::Locality eu{"", "eu", "", "", "", ""};
  const model::Locality zone{"", "", "us-a", "", "", ""};
  const model::Locality cluster{"", "", "", "", "us-1", ""};
  EXPECT_EQ(failover.failover, (std::vector<model::Failover>{{eu, {zone, cluster}}}));
  EXPECT_EQ(failover.fence, (model::Fence{model::Part::Zone, {"eu"}, {"eu-a"}, {"eu-1"}}));
  const auto groups =
      converted([](Policy& p) { (*p.add_priority_groups()->mutable_match_labels())["role"] = "primary"; }).value();
  EXPECT_EQ(groups.priority_groups, (std::vector<model::Labels>{{{"role", "primary"}}}));
  const auto shares = converted([](Policy& p) {
                        auto& share = *p.add_distribute()->add_to();
                        share.set_region("eu");
                        share.set_percent(100);
                      }).value();
  EXPECT_EQ(shares.distribute, (std::vector<model::Distribute>{{{}, {{eu, 100}}}}));
}

TEST(ToPolicy, takes_spill_and_slow_start_over) {
  const auto plain = converted([](Policy& p) { p.mutable_spill(); }).value();
  EXPECT_EQ(plain.spill, (model::Spill{140, 0}));
  const auto given = converted([](Policy& p) {
                       p.mutable_spill()->set_overprovisioning(120);
                       p.mutable_spill()->set_panic_below(50);
                       p.set_slow_start("1m");
                     }).value();
  EXPECT_EQ(given.spill, (model::Spill{120, 50}));
  EXPECT_EQ(given.slow_start, 60s);
  EXPECT_EQ(converted([](Policy& p) { p.set_slow_start("off"); }).value().slow_start, 0s);
}

TEST(ToPolicy, refuses_two_orders) {
  const std::string two = "spec.policy: only one of failover, priorityGroups and distribute";
  const auto failover = [](Policy& p) { p.add_failover()->add_to()->set_region("eu"); };
  const auto groups = [](Policy& p) { (*p.add_priority_groups()->mutable_match_labels())["a"] = "b"; };
  const auto distribute = [](Policy& p) { p.add_distribute(); };
  EXPECT_EQ(said([&](auto& p) { failover(p), groups(p); }), two);
  EXPECT_EQ(said([&](auto& p) { failover(p), distribute(p); }), two);
  EXPECT_EQ(said([&](auto& p) { groups(p), distribute(p); }), two);
}

TEST(ToPolicy, names_what_is_wrong_with_the_order) {
  EXPECT_EQ(said([](auto& p) { p.mutable_fence(); }), "spec.policy.fence: needs within, regions, zones or clusters");
  EXPECT_EQ(said([](auto& p) { p.mutable_fence()->set_within("rack"); }),
            "spec.policy.fence.within: expected a part of a locality");
  EXPECT_EQ(said([](auto& p) { p.add_failover(); }), "spec.policy.failover[0].to: expected 1-64 places");
  EXPECT_EQ(said([](auto& p) {
              p.add_failover()->add_to()->set_region("eu");
              for (int i = 0; i < 65; ++i) p.mutable_failover(0)->add_to()->set_region("eu");
            }),
            "spec.policy.failover[0].to: expected 1-64 places");
  EXPECT_EQ(said([](auto& p) { p.add_failover()->add_to(); }),
            "spec.policy.failover[0].to[0]: needs a part of a locality");
  EXPECT_EQ(said([](auto& p) { p.add_failover()->mutable_from()->set_region("a b"); }),
            "spec.policy.failover[0].from.region: expected letters, digits and hyphens");
  EXPECT_EQ(said([](auto& p) { p.add_priority_groups(); }),
            "spec.policy.priorityGroups[0].matchLabels: at least one is needed");
  EXPECT_EQ(said([](auto& p) {
              for (int i = 0; i < 65; ++i) (*p.add_priority_groups()->mutable_match_labels())["a"] = "b";
            }),
            "spec.policy: at most 64 entries of failover, priorityGroups or distribute");
}

TEST(ToPolicy, names_what_is_wrong_with_shares) {
  EXPECT_EQ(said([](auto& p) { p.add_distribute(); }),
            "spec.policy.distribute[0].to: the percents sum to 0, not to 100");
  EXPECT_EQ(said([](auto& p) {
              auto& rule = *p.add_distribute();
              for (const auto* region : {"eu", "us"}) {
                auto& share = *rule.add_to();
                share.set_region(region);
                share.set_percent(0xFFFFFFFF);  // must not wrap around
              }
            }),
            "spec.policy.distribute[0].to: the percents sum to 8589934590, not to 100");
  EXPECT_EQ(said([](auto& p) { p.add_distribute()->add_to()->set_percent(100); }),
            "spec.policy.distribute[0].to[0]: needs a part of a locality");
  EXPECT_EQ(said([](auto& p) {
              auto& rule = *p.add_distribute();
              for (int i = 0; i < 65; ++i) {
                auto& share = *rule.add_to();
                share.set_region("eu");
                share.set_percent(i == 0 ? 100 : 0);
              }
            }),
            "spec.policy.distribute[0].to: expected at most 64 places");
}

TEST(ToPolicy, names_what_is_wrong_with_spill_and_slow_start) {
  for (const std::uint32_t percent : {1U, 99U, 1001U}) {
    EXPECT_EQ(said([&](auto& p) { p.mutable_spill()->set_overprovisioning(percent); }),
              "spec.policy.spill.overprovisioning: expected 100% to 1000%");
  }
  EXPECT_EQ(said([](auto& p) { p.mutable_spill()->set_panic_below(101); }),
            "spec.policy.spill.panicBelow: expected 0% to 100%");
  for (const auto* text : {"999ms", "0s", "61m"}) {
    EXPECT_EQ(said([&](auto& p) { p.set_slow_start(text); }), "spec.policy.slowStart: expected off, or 1s to 1h");
  }
  EXPECT_EQ(said([](auto& p) { p.set_slow_start("soon"); }).rfind("spec.policy.slowStart: ", 0), 0U);
}

}  // namespace
}  // namespace meshdns::convert
