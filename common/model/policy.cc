#include "common/model/policy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/objects.h"

namespace meshdns::model {
namespace {

std::size_t given_parts(const Locality& selector) {
  return static_cast<std::size_t>(
      std::ranges::count_if(kParts, [&](Part part) { return !selector.part(part).empty(); }));
}

/// Returns how specific a selector is, for comparison: the number of its parts, then how narrow the narrowest part is.
std::pair<std::size_t, std::size_t> specificity(const Locality& selector) {
  constexpr std::array kNarrowLast = {Part::Network, Part::Region,  Part::Zone,
                                      Part::Cluster, Part::Subzone, Part::Node};
  std::size_t narrowest = 0;
  for (std::size_t i = 0; i < kNarrowLast.size(); ++i) {
    if (!selector.part(kNarrowLast[i]).empty()) narrowest = i;
  }
  return {given_parts(selector), narrowest};
}

template <class Rule>
const Rule* most_specific(const std::vector<Rule>& rules, const Locality& client) {
  const Rule* best = nullptr;
  for (const Rule& rule : rules) {
    const bool better = best == nullptr || specificity(rule.from) > specificity(best->from);
    if (better && covers(rule.from, client)) best = &rule;
  }
  return best;
}

bool is_listed(const std::vector<std::string>& list, const std::string& name) {
  return list.empty() || std::ranges::any_of(list, [&](const std::string& entry) { return same_name(entry, name); });
}

template <class Holds>
bool all_parts(std::uint8_t parts, Holds holds) {
  return std::ranges::all_of(
      kParts, [&](Part part) { return ((parts >> static_cast<unsigned>(part)) & 1U) == 0 || holds(part); });
}

}  // namespace

std::uint8_t Fence::client_parts() const { return within ? with_implied(*within) : std::uint8_t{0}; }

bool Fence::is_unknown(const Locality& client) const {
  return !all_parts(client_parts(), [&](Part part) { return !client.part(part).empty(); });
}

bool Fence::admits(const Locality& client, const Locality& place) const {
  return all_parts(client_parts(), [&](Part part) { return same(client, place, part); }) &&
         is_listed(regions, place.region) && is_listed(zones, place.zone) && is_listed(clusters, place.cluster);
}

bool covers(const Locality& selector, const Locality& place) {
  return std::ranges::all_of(kParts,
                             [&](Part part) { return selector.part(part).empty() || same(selector, place, part); });
}

std::string selector_text(const Locality& selector) {
  std::vector<std::string> parts;
  for (const Part part : kParts) {
    if (!selector.part(part).empty()) parts.push_back(std::string(part_name(part)) + "=" + selector.part(part));
  }
  return parts.empty() ? "everywhere" : join(parts, ",");
}

const Failover* rule_for(const std::vector<Failover>& rules, const Locality& client) {
  return most_specific(rules, client);
}
const Distribute* rule_for(const std::vector<Distribute>& rules, const Locality& client) {
  return most_specific(rules, client);
}

bool LabelExpression::holds(const Labels& labels) const {
  const auto found = labels.find(key);
  const bool there = found != labels.end();
  const auto listed = [&] { return there && std::ranges::find(values, found->second) != values.end(); };
  switch (op) {
    case Operator::In: return listed();
    case Operator::NotIn: return !listed();
    case Operator::Exists: return there;
    case Operator::DoesNotExist: return !there;
  }
  return false;
}

}  // namespace meshdns::model
