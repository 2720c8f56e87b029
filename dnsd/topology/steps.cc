#include "dnsd/topology/steps.h"

#include <algorithm>

namespace meshdns::topology {
namespace {

using model::Part;

constexpr unsigned bit(Part part) { return 1U << static_cast<unsigned>(part); }

// A rung with one of these says something about the client's own region.
constexpr unsigned kInsideRegion =
    bit(Part::Region) | bit(Part::Zone) | bit(Part::Subzone) | bit(Part::Cluster) | bit(Part::Node);

bool matches(const model::Rung& rung, const model::Locality& client, const model::Locality& place) {
  return std::ranges::all_of(model::kParts,
                             [&](Part part) { return !rung.requires_part(part) || same(client, place, part); });
}

unsigned given_parts(const model::Locality& selector) {
  unsigned out = 0;
  for (const Part part : model::kParts) {
    if (!selector.part(part).empty()) out |= bit(part);
  }
  return out;
}

}  // namespace

std::uint8_t place_parts(const model::Policy& policy) {
  unsigned out = bit(Part::Network) | bit(Part::Cluster);
  for (const model::Rung& rung : policy.ladder) out |= rung.parts;
  for (const model::Failover& rule : policy.failover) {
    out |= bit(Part::Region);
    for (const model::Locality& to : rule.to) out |= given_parts(to);
  }
  for (const model::Distribute& rule : policy.distribute) {
    for (const auto& share : rule.to) out |= given_parts(share.to);
  }
  if (policy.fence) out |= bit(Part::Region) | bit(Part::Zone) | policy.fence->client_parts();
  return static_cast<std::uint8_t>(out);
}

std::string Step::name() const { return rung != nullptr ? rung->name : "failover " + selector_text(*to); }

Steps::Steps(const model::Policy& policy, const model::Locality& client)
    : policy_(policy), client_(client), distribute_(rule_for(policy.distribute, client)) {
  for (const model::Rung& rung : policy.ladder) {
    steps_.push_back({&rung, nullptr, rung.split_by_cluster()});
  }
  if (const model::Failover* rule = rule_for(policy.failover, client)) add_failover(*rule);
}

void Steps::add_failover(const model::Failover& rule) {
  const auto region =
      std::ranges::find_if(steps_, [](const Step& step) { return step.rung->parts == bit(Part::Region); });
  auto at = region != steps_.end() ? region + 1 : std::ranges::find_if(steps_, [](const Step& step) {
    return (step.rung->parts & kInsideRegion) == 0;
  });
  if (region == steps_.end() && at != steps_.end()) {
    // what would be taken by a wider rung comes first where it is in the client's own region
    static const model::Rung kRegion{static_cast<std::uint8_t>(bit(Part::Region)), "region"};
    at = steps_.insert(at, {&kRegion, nullptr, true}) + 1;
  }
  std::vector<Step> places;
  for (const model::Locality& to : rule.to) {
    places.push_back({nullptr, &to, true});
  }
  steps_.insert(at, places.begin(), places.end());
}

std::optional<std::size_t> Steps::of(const model::Locality& place) const {
  const bool own_region = same(client_, place, Part::Region);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    if (step.rung != nullptr ? matches(*step.rung, client_, place) : !own_region && covers(*step.to, place)) return i;
  }
  return std::nullopt;
}

bool Steps::admits(const model::Locality& place) const {
  return !policy_.fence || policy_.fence->admits(client_, place);
}

bool Steps::fence_unknown() const { return policy_.fence && policy_.fence->is_unknown(client_); }

std::size_t Steps::share_of(const model::Locality& place) const {
  const auto& shares = distribute_->to;
  const auto found = std::ranges::find_if(shares, [&](const auto& share) { return covers(share.to, place); });
  return static_cast<std::size_t>(found - shares.begin());
}

}  // namespace meshdns::topology
