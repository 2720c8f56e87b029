#include "dnsd/answers/policy_text.h"

#include "common/base/text.h"
#include "common/time/duration_text.h"

namespace meshdns::answers {
namespace {

std::string ladder_text(const model::Ladder& ladder) {
  if (ladder == model::default_ladder()) return "default ladder";
  std::vector<std::string> rungs;
  for (const model::Rung& rung : ladder) rungs.push_back(rung.name);
  return "ladder " + join(rungs, " > ");
}

std::string fence_text(const model::Fence& fence) {
  std::vector<std::string> conditions;
  if (fence.within) conditions.push_back("within " + std::string(model::part_name(*fence.within)));
  const auto add = [&](const char* what, const std::vector<std::string>& names) {
    if (!names.empty()) conditions.push_back(what + join(names, "+"));
  };
  add("regions ", fence.regions);
  add("zones ", fence.zones);
  add("clusters ", fence.clusters);
  return "fence " + join(conditions, " and ");
}

std::string spill_text(const model::Spill& spill) {
  std::string text = "spill " + std::to_string(spill.overprovisioning) + "%";
  if (spill.panic_below > 0) text += " panic below " + std::to_string(spill.panic_below) + "%";
  return text;
}

std::string failover_text(const model::Failover& rule) {
  std::vector<std::string> places;
  for (const model::Locality& to : rule.to) places.push_back(selector_text(to));
  return "failover from " + selector_text(rule.from) + " to " + join(places, " > ");
}

std::string groups_text(const std::vector<model::Labels>& groups) {
  std::vector<std::string> texts;
  for (const model::Labels& group : groups) {
    std::vector<std::string> labels;
    for (const auto& [name, value] : group) labels.push_back(name + "=" + value);
    texts.push_back(join(labels, ","));
  }
  return "groups " + join(texts, " > ");
}

std::string distribute_text(const model::Distribute& rule) {
  std::vector<std::string> shares;
  for (const auto& share : rule.to) shares.push_back(std::to_string(share.percent) + "% " + selector_text(share.to));
  return "from " + selector_text(rule.from) + " " + join(shares, " + ");
}

}  // namespace

std::string policy_text(const model::Policy& policy) {
  std::vector<std::string> parts = {ladder_text(policy.ladder)};
  parts.push_back(policy.fence ? fence_text(*policy.fence) : "no fence");
  parts.push_back(policy.spill ? spill_text(*policy.spill) : "no spill");
  for (const model::Failover& rule : policy.failover) parts.push_back(failover_text(rule));
  if (!policy.priority_groups.empty()) parts.push_back(groups_text(policy.priority_groups));
  for (const model::Distribute& rule : policy.distribute) parts.push_back(distribute_text(rule));
  return join(parts, ", ");
}

}  // namespace meshdns::answers
