#include "dnsd/answers/set_compiler.h"

#include <algorithm>
#include <random>

#include "common/base/text.h"

namespace meshdns::answers {
namespace {

std::uint32_t seconds(Duration duration) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, duration / 1s));
}

EndpointRow row_of(const topology::Candidate& candidate) {
  EndpointRow row;
  row.weight = candidate.weight;
  if (candidate.v4) {
    row.has_v4 = true;
    std::ranges::copy(candidate.v4->bytes(), row.v4.begin());
  }
  if (candidate.v6) {
    row.has_v6 = true;
    std::ranges::copy(candidate.v6->bytes(), row.v6.begin());
  }
  return row;
}

}  // namespace

Host compile_host(const topology::HostPlan& plan, const std::vector<std::uint8_t>& name) {
  Host host;
  host.name = name;
  host.independent_families = plan.policy.families == model::Families::Independent;
  host.max_answers = plan.policy.max_answers;
  host.ttl = seconds(plan.policy.ttl);
  for (const topology::Candidate& candidate : plan.candidates) host.rows.push_back(row_of(candidate));
  for (std::size_t i = 0; i < plan.ports.size(); ++i) {
    ServicePort port{ascii_lower(plan.ports[i].name), plan.ports[i].protocol != "UDP", {}};
    for (const topology::Candidate& candidate : plan.candidates) port.numbers.push_back(candidate.ports[i]);
    host.ports.push_back(std::move(port));
  }
  return host;
}

Set compile_set(const topology::HostPlan& plan, const topology::Decision& decision, const Version& version) {
  Set set;
  set.ttl = seconds(decision.ttl);
  set.last_resort = decision.last_resort();
  set.note = note_text(plan, decision);
  set.explain = explain_lines(plan, decision, version);
  if (decision.emptiness == topology::Emptiness::Unlocated) {
    set.ede = wire::Ede::Prohibited;
    set.ede_text = emptiness_text(decision.emptiness);
  }
  for (const topology::Tier& tier : decision.tiers) {
    if (tier.answering.empty()) continue;
    const std::size_t begin = set.rows.size();
    for (const std::uint32_t member : tier.answering) set.rows.push_back(static_cast<std::uint16_t>(member));
    // a worker that looks at a part of the rows begins anywhere: their order must not be that of the keys
    std::ranges::shuffle(set.rows.begin() + static_cast<std::ptrdiff_t>(begin), set.rows.end(),
                         std::minstd_rand(static_cast<std::uint32_t>(plan.candidates.size())));
    set.tiers.push_back({static_cast<std::uint16_t>(tier.number), static_cast<std::uint16_t>(set.rows.size())});
  }
  if (!set.tiers.empty()) {
    const auto weight_of = [&](std::uint16_t row) { return std::max(1U, plan.candidates[row].weight); };
    set.equal_weights = std::all_of(set.rows.begin(), set.rows.begin() + set.tiers.front().end,
                                    [&](std::uint16_t row) { return weight_of(row) == weight_of(set.rows.front()); });
  }
  return set;
}

}  // namespace meshdns::answers
