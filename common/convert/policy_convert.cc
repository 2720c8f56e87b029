#include "common/convert/policy_convert.h"

#include <fmt/format.h>
#include <algorithm>
#include <set>

#include "common/convert/fields.h"
#include "common/time/duration_text.h"

namespace meshdns::convert {
namespace {

using Spec = v1::VirtualDestinationSpec;

constexpr Duration kLongestTtl = 300s;
constexpr Duration kLongestSlowStart = 1h;
constexpr std::uint32_t kLeastOverprovisioning = 100;
constexpr std::uint32_t kMostOverprovisioning = 1000;
constexpr int kMostRules = 64;  // in each of failover, priorityGroups and distribute

model::Ladder to_ladder(const Spec::Policy& policy, FirstError& first) {
  if (policy.ladder().empty()) return model::default_ladder();
  model::Ladder out;
  std::set<std::string> seen;
  for (int i = 0; i < policy.ladder_size(); ++i) {
    const std::string field = fmt::format("spec.policy.ladder[{}]", i);
    out.push_back(first.take(model::parse_rung(policy.ladder(i)), field));
    first.expect(seen.insert(policy.ladder(i)).second, field, "given twice");
  }
  return out;
}

model::Fence to_fence(const Spec::Fence& from, FirstError& first) {
  model::Fence out;
  const auto part = std::ranges::find(model::kParts, from.within(), model::part_name);
  if (part != model::kParts.end()) out.within = *part;
  first.expect(from.within().empty() || out.within, "spec.policy.fence.within", "expected a part of a locality");
  out.regions.assign(from.regions().begin(), from.regions().end());
  out.zones.assign(from.zones().begin(), from.zones().end());
  out.clusters.assign(from.clusters().begin(), from.clusters().end());
  first.expect(!(out == model::Fence{}), "spec.policy.fence", "needs within, regions, zones or clusters");
  return out;
}

std::vector<model::Failover> to_failover(const Spec::Policy& policy, FirstError& first) {
  std::vector<model::Failover> out;
  for (const auto& rule : policy.failover()) {
    const std::string field = fmt::format("spec.policy.failover[{}]", out.size());
    model::Failover entry{to_selector_locality(rule.from(), field + ".from", first), {}};
    first.expect(!rule.to().empty() && rule.to_size() <= kMostRules, field + ".to", "expected 1-64 places");
    for (const auto& to : rule.to()) {
      const std::string place = fmt::format("{}.to[{}]", field, entry.to.size());
      entry.to.push_back(to_selector_locality(to, place, first));
      first.expect(!entry.to.back().empty(), place, "needs a part of a locality");
    }
    out.push_back(std::move(entry));
  }
  return out;
}

std::vector<model::Labels> to_groups(const Spec::Policy& policy, FirstError& first) {
  std::vector<model::Labels> out;
  for (const auto& group : policy.priority_groups()) {
    first.expect(!group.match_labels().empty(), fmt::format("spec.policy.priorityGroups[{}].matchLabels", out.size()),
                 "at least one is needed");
    out.emplace_back(group.match_labels().begin(), group.match_labels().end());
  }
  return out;
}

std::vector<model::Distribute> to_distribute(const Spec::Policy& policy, FirstError& first) {
  std::vector<model::Distribute> out;
  for (const auto& rule : policy.distribute()) {
    const std::string field = fmt::format("spec.policy.distribute[{}]", out.size());
    model::Distribute entry{to_selector_locality(rule.from(), field + ".from", first), {}};
    std::uint64_t sum = 0;
    for (const auto& share : rule.to()) {
      const std::string place = fmt::format("{}.to[{}]", field, entry.to.size());
      entry.to.push_back({to_selector_locality(share, place, first), share.percent()});
      first.expect(!entry.to.back().to.empty(), place, "needs a part of a locality");
      sum += share.percent();
    }
    first.expect(sum == 100, field + ".to", fmt::format("the percents sum to {}, not to 100", sum));
    first.expect(rule.to_size() <= kMostRules, field + ".to", "expected at most 64 places");
    out.push_back(std::move(entry));
  }
  return out;
}

model::Spill to_spill(const Spec::Spill& from, FirstError& first) {
  model::Spill out;
  if (from.overprovisioning() != 0) out.overprovisioning = from.overprovisioning();
  const bool fits = out.overprovisioning >= kLeastOverprovisioning && out.overprovisioning <= kMostOverprovisioning;
  first.expect(fits, "spec.policy.spill.overprovisioning", "expected 100% to 1000%");
  out.panic_below = from.panic_below();
  first.expect(out.panic_below <= 100, "spec.policy.spill.panicBelow", "expected 0% to 100%");
  return out;
}

void to_ttls(const Spec::Policy& from, model::Policy& out, FirstError& first) {
  if (from.has_ttl()) out.ttl = first.take(to_duration(from.ttl()), "spec.policy.ttl");
  if (from.has_ttl_min()) out.ttl_min = first.take(to_duration(from.ttl_min()), "spec.policy.ttlMin");
  first.expect(out.ttl >= 1s && out.ttl <= kLongestTtl, "spec.policy.ttl", "expected 1s to 300s");
  first.expect(out.ttl_min >= 1s && out.ttl_min <= out.ttl, "spec.policy.ttlMin", "expected 1s to ttl");
  first.expect(out.ttl % 1s == Duration::zero(), "spec.policy.ttl", "expected whole seconds");
  first.expect(out.ttl_min % 1s == Duration::zero(), "spec.policy.ttlMin", "expected whole seconds");
}

void to_slow_start(const Spec::Policy& from, model::Policy& out, FirstError& first) {
  if (from.slow_start().empty()) return;
  out.slow_start = from.slow_start() == "off" ? Duration::zero()
                                              : first.take(parse_duration(from.slow_start()), "spec.policy.slowStart");
  const bool fits = from.slow_start() == "off" || (out.slow_start >= 1s && out.slow_start <= kLongestSlowStart);
  first.expect(fits, "spec.policy.slowStart", "expected off, or 1s to 1h");
}

/// Converts the parts of a policy that choose between places: fence, failover, priorityGroups and distribute.
void to_order(const Spec::Policy& from, model::Policy& out, FirstError& first) {
  if (from.has_fence()) out.fence = to_fence(from.fence(), first);
  const int ways =
      int{!from.failover().empty()} + int{!from.priority_groups().empty()} + int{!from.distribute().empty()};
  first.expect(ways <= 1, "spec.policy", "only one of failover, priorityGroups and distribute");
  const int rules = std::max({from.failover_size(), from.priority_groups_size(), from.distribute_size()});
  first.expect(rules <= kMostRules, "spec.policy", "at most 64 entries of failover, priorityGroups or distribute");
  out.failover = to_failover(from, first);
  out.priority_groups = to_groups(from, first);
  out.distribute = to_distribute(from, first);
  if (from.has_spill()) out.spill = to_spill(from.spill(), first);
}

}  // namespace

model::Policy to_policy(const Spec::Policy& from, FirstError& first) {
  model::Policy out;
  out.ladder = to_ladder(from, first);
  to_order(from, out, first);
  first.expect(from.families().empty() || from.families() == "together" || from.families() == "independent",
               "spec.policy.families", "expected together or independent");
  if (from.families() == "independent") out.families = model::Families::Independent;
  first.expect(from.on_empty().empty() || from.on_empty() == "LastResort" || from.on_empty() == "NoData",
               "spec.policy.onEmpty", "expected LastResort or NoData");
  if (from.on_empty() == "NoData") out.on_empty = model::OnEmpty::NoData;
  to_ttls(from, out, first);
  to_slow_start(from, out, first);
  if (from.has_max_answers()) out.max_answers = from.max_answers();
  first.expect(out.most_addresses() >= 1 && out.most_addresses() <= 256, "spec.policy.maxAnswers", "expected 1-256");
  return out;
}

}  // namespace meshdns::convert
