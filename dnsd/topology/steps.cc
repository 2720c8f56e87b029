#include "dnsd/topology/steps.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "common/base/text.h"
#include "dnsd/topology/view.h"

namespace meshdns::topology {
namespace {

using model::Part;

/// Returns whether client and place are equal in all of these parts.
bool agree(std::uint8_t parts, const model::Locality& client, const model::Locality& place) {
  return std::ranges::all_of(model::kParts,
                             [&](Part part) { return (parts & bit(part)) == 0 || same(client, place, part); });
}

/// Returns how wide a place is that these parts name: as wide as the narrowest part, in the default ladder's order.
std::size_t width(std::uint8_t parts) {
  constexpr std::array kNarrowFirst = {Part::Node, Part::Subzone, Part::Cluster,
                                       Part::Zone, Part::Region,  Part::Network};
  const auto narrowest = std::ranges::find_if(kNarrowFirst, [&](Part part) { return (parts & bit(part)) != 0; });
  return static_cast<std::size_t>(narrowest - kNarrowFirst.begin());
}

/// Returns the index after the last rung that lies inside the client's own place.
std::size_t end_of_own(const model::Ladder& ladder, std::uint8_t own) {
  const bool complete = std::ranges::any_of(ladder, [&](const model::Rung& rung) { return rung.parts == own; });
  std::size_t end = 0;
  for (std::size_t i = 0; i < ladder.size(); ++i) {
    const bool inside = complete ? (ladder[i].parts & own) == own : width(ladder[i].parts) <= width(own);
    if (inside) end = i + 1;
  }
  return end;
}

std::string rung_name(std::uint8_t parts) {
  std::vector<std::string> names;
  std::uint8_t implied = 0;
  for (const Part part : {Part::Node, Part::Cluster, Part::Subzone, Part::Zone, Part::Region, Part::Network}) {
    if ((parts & bit(part)) == 0 || (implied & bit(part)) != 0) continue;
    names.emplace_back(part_name(part));
    implied |= model::with_implied(part);
  }
  return join(names, "+");
}

/// Returns the rung of exactly these parts. It lives as long as the process, because Steps keep its address.
const model::Rung& rung_of(std::uint8_t parts) {
  static const auto kRungs = [] {
    std::array<model::Rung, 1U << model::kParts.size()> out;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto these = static_cast<std::uint8_t>(i);
      out[i] = {these, rung_name(these)};
    }
    return out;
  }();
  return kRungs[parts];
}

}  // namespace

std::uint8_t own_parts(const model::Locality& from) {
  unsigned out = 0;
  for (const Part part : model::kParts) {
    if (!from.part(part).empty()) out |= model::with_implied(part);
  }
  if (out == 0) return bit(Part::Region);
  if ((out & bit(Part::Cluster)) != 0) {
    out &= ~bit(Part::Network);
    if ((out & bit(Part::Zone)) == 0) out &= ~bit(Part::Region);
  }
  return static_cast<std::uint8_t>(out);
}

std::uint8_t place_parts(const model::Policy& policy) {
  unsigned out = bit(Part::Network) | bit(Part::Cluster);
  for (const model::Rung& rung : policy.ladder) out |= rung.parts;
  for (const model::Failover& rule : policy.failover) {
    out |= own_parts(rule.from);
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
  own_parts_ = own_parts(rule.from);
  auto at = static_cast<std::ptrdiff_t>(end_of_own(policy_.ladder, own_parts_));
  const bool complete = std::any_of(steps_.begin(), steps_.begin() + at,
                                    [&](const Step& step) { return step.rung->parts == own_parts_; });
  if (!complete && at < std::ssize(steps_)) {  // without this rung, a wider one takes what is own after the places
    const model::Rung& own = rung_of(own_parts_);
    steps_.insert(steps_.begin() + at, {&own, nullptr, own.split_by_cluster(), true});
    ++at;
  }
  std::vector<Step> places;
  for (const model::Locality& to : rule.to) places.push_back({nullptr, &to, true});
  steps_.insert(steps_.begin() + at, places.begin(), places.end());
}

bool Steps::takes(std::size_t step, const model::Locality& place) const {
  const Step& at = steps_[step];
  if (at.rung == nullptr) return covers(*at.to, place) && !agree(own_parts_, client_, place);
  if (!agree(at.rung->parts, client_, place)) return false;
  return !at.early ||
         std::any_of(steps_.begin() + static_cast<std::ptrdiff_t>(step) + 1, steps_.end(), [&](const Step& later) {
           return later.rung != nullptr && agree(later.rung->parts, client_, place);
         });
}

std::optional<std::size_t> Steps::of(const model::Locality& place) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (takes(i, place)) return i;
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
