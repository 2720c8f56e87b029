#include "dnsd/topology/lint_policy.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "dnsd/topology/families.h"
#include "dnsd/topology/matching.h"
#include "dnsd/topology/steps.h"

namespace meshdns::topology {
namespace {

using Findings = std::vector<Finding>;
using model::Part;

const std::string kPolicy = "spec.policy.";
// During a longer slow start a restarted endpoint stays weaker than people expect.
constexpr Duration kLongSlowStart = 10min;

void lint_ladder(const model::Policy& policy, Findings& out) {
  for (std::size_t i = 0; i < policy.ladder.size(); ++i) {
    const model::Rung& rung = policy.ladder[i];
    for (std::size_t before = 0; before < i; ++before) {
      const model::Rung& wider = policy.ladder[before];
      if ((wider.parts & rung.parts) != wider.parts) continue;
      out.push_back({indexed(kPolicy + "ladder", i), Severity::Warning,
                     "the tier is never reached: " + wider.name + " before it takes all that " + rung.name + " would"});
      break;
    }
  }
  const bool has_any = std::ranges::any_of(policy.ladder, [](const model::Rung& rung) { return rung.parts == 0; });
  if (has_any) return;
  out.push_back({kPolicy + "ladder", Severity::Advice,
                 "without any: clients whose locality is not known get nothing, nor does anybody get what no rung is "
                 "for"});
}

void lint_names(const LintScene& scene, Part part, const std::vector<std::string>& names, const std::string& path,
                Findings& out) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    lint_name(scene, part, names[i], indexed(path, i), out);
  }
}

void lint_fence(const LintScene& scene, const HostPlan& host, Findings& out) {
  if (!host.policy.fence) return;
  const model::Fence& fence = *host.policy.fence;
  lint_names(scene, Part::Region, fence.regions, kPolicy + "fence.regions", out);
  lint_names(scene, Part::Zone, fence.zones, kPolicy + "fence.zones", out);
  lint_names(scene, Part::Cluster, fence.clusters, kPolicy + "fence.clusters", out);
  if (host.candidates.empty()) return;
  model::Fence named = fence;  // the part of the fence that is the same for every client
  named.within.reset();
  const auto inside = [&](const Candidate& candidate) {
    const model::Locality& place = candidate.locality;
    return (!fence.within || !place.part(*fence.within).empty()) && named.admits({}, place);
  };
  if (std::ranges::any_of(host.candidates, inside)) return;
  out.push_back({kPolicy + "fence", Severity::Warning,
                 "it excludes every endpoint that there is (" + std::to_string(host.candidates.size()) + ")"});
}

/// Returns why clients of a failover rule never reach one of its places through the rule; empty = they may.
std::string place_inside_own(const HostPlan& host, const model::Locality& from, const model::Locality& to) {
  if (from.empty()) return "";  // the rule is for all clients: each has a place of its own
  const std::uint8_t own = own_parts(from);
  const auto is_own = [&](const model::Locality& place) {
    return std::ranges::all_of(model::kParts, [&](Part part) {
      const bool counts = ((own >> static_cast<unsigned>(part)) & 1U) != 0 && !from.part(part).empty();
      return !counts || same(from, place, part);
    });
  };
  std::size_t covered = 0;
  bool all_own = true;
  for (const Candidate& candidate : host.candidates) {
    if (!covers(to, candidate.locality)) continue;
    ++covered;
    all_own = all_own && is_own(candidate.locality);
  }
  if (!is_own(to) && (covered == 0 || !all_own)) return "";
  return "never reached: all of " + selector_text(to) + " is in " + selector_text(from) +
         ", and what is there comes before the places of the rule; a rule from a zone or a cluster orders inside it";
}

void lint_failover(const LintScene& scene, const HostPlan& host, Findings& out) {
  const model::Policy& policy = host.policy;
  for (std::size_t i = 0; i < policy.failover.size(); ++i) {
    const model::Failover& rule = policy.failover[i];
    const std::string path = indexed(kPolicy + "failover", i);
    lint_places(scene, rule.from, path + ".from", out);
    const auto before = policy.failover.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find_if(policy.failover.begin(), before, [&](const auto& other) { return other.from == rule.from; }) !=
        before) {
      out.push_back({path + ".from", Severity::Warning, "a rule before it is for the same clients"});
    }
    for (std::size_t k = 0; k < rule.to.size(); ++k) {
      const model::Locality& to = rule.to[k];
      const std::string at = indexed(path + ".to", k);
      lint_places(scene, to, at, out);
      const auto own = rule.to.begin() + static_cast<std::ptrdiff_t>(k);
      const auto wider = std::find_if(rule.to.begin(), own, [&](const auto& other) { return covers(other, to); });
      if (wider != own) {
        out.push_back({at, Severity::Warning, "never reached: " + selector_text(*wider) + " before it covers it"});
      }
      if (auto problem = place_inside_own(host, rule.from, to); !problem.empty()) {
        out.push_back({at, Severity::Warning, std::move(problem)});
      }
    }
  }
}

void lint_groups(const HostPlan& host, Findings& out) {
  const auto& groups = host.policy.priority_groups;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::string path = indexed(kPolicy + "priorityGroups", i);
    const auto own = groups.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find_if(groups.begin(), own, [&](const auto& other) { return has_labels(*own, other); }) != own) {
      out.push_back({path, Severity::Warning, "never reached: a group before it takes all that it would"});
    } else if (!host.candidates.empty() &&
               std::ranges::none_of(host.candidates, [&](const Candidate& entry) { return entry.group == i; })) {
      out.push_back({path, Severity::Warning, "no endpoint belongs to it"});
    }
  }
}

void lint_distribute(const LintScene& scene, const model::Policy& policy, Findings& out) {
  for (std::size_t i = 0; i < policy.distribute.size(); ++i) {
    const auto& shares = policy.distribute[i].to;
    const std::string path = indexed(kPolicy + "distribute", i);
    lint_places(scene, policy.distribute[i].from, path + ".from", out);
    for (std::size_t k = 0; k < shares.size(); ++k) {
      const std::string at = indexed(path + ".to", k);
      lint_places(scene, shares[k].to, at, out);
      const auto own = shares.begin() + static_cast<std::ptrdiff_t>(k);
      const auto wider =
          std::find_if(shares.begin(), own, [&](const auto& other) { return covers(other.to, own->to); });
      if (wider != own) {
        out.push_back({at, Severity::Warning, "empty: " + selector_text(wider->to) + " before it covers it"});
      }
      if (own->percent == 0) {
        out.push_back(
            {at + ".percent", Severity::Advice, "0 %: it gets clients only while the other shares are empty"});
      }
    }
  }
}

void lint_draws(const LintScene& scene, const model::Policy& policy, Findings& out) {
  if (!policy.spill && policy.distribute.empty()) return;
  const std::string path = kPolicy + (policy.spill ? "spill" : "distribute");
  if (scene.coarse_forwarders) {
    out.push_back({path, Severity::Advice,
                   "clients behind a trusted forwarder without client subnets follow one draw, all together"});
  }
  if (scene.names.has_wide_prefixes()) {
    out.push_back({path, Severity::Advice,
                   "clients of one node prefix or client prefix follow one draw, all together: with few prefixes the "
                   "shares are met over time only"});
  }
}

void lint_slow_start(const model::Policy& policy, Findings& out) {
  const std::string path = kPolicy + "slowStart";
  if (policy.slow_start > kLongSlowStart) {
    out.push_back({path, Severity::Warning,
                   "longer than " + duration_text(kLongSlowStart) +
                       ": so long after each recovery an endpoint gets less than its weight"});
  } else if (policy.slow_start > Duration::zero() && policy.slow_start <= policy.ttl) {
    out.push_back(
        {path, Severity::Advice, "not longer than the TTL (" + duration_text(policy.ttl) + "): clients hardly see it"});
  }
}

// Above these numbers BIND from 9.18.28 (max-records-per-type) and PowerDNS Recursor answer SERVFAIL.
constexpr std::size_t kMostOfBind = 100;
constexpr const char* kResolversRefuse =
    ": BIND from 9.18.28 answers SERVFAIL above 100 records of a name and type, PowerDNS Recursor above 256";

/// Returns the most instances that an SRV answer lists, if each cluster is a tier.
std::size_t most_listed(const HostPlan& host) {
  if (host.ports.empty()) return 0;
  if (!host.policy.max_answers) return host.candidates.size();
  std::map<std::string, std::size_t> by_cluster;
  for (const Candidate& candidate : host.candidates) ++by_cluster[candidate.locality.cluster];
  std::size_t sum = 0;
  for (const auto& [cluster, count] : by_cluster) sum += std::min<std::size_t>(count, *host.policy.max_answers);
  return sum;
}

void lint_size(const HostPlan& host, Findings& out) {
  const std::string path = kPolicy + "maxAnswers";
  const std::size_t listed = most_listed(host);
  if (host.policy.most_addresses() > kMostOfBind) {
    out.push_back({path, Severity::Advice, "more than " + std::to_string(kMostOfBind) + kResolversRefuse});
  } else if (listed > kMostOfBind) {
    out.push_back(
        {path, Severity::Advice, "SRV lists up to " + std::to_string(listed) + " instances" + kResolversRefuse});
  }
}

// The families are not looked at from more places: one decision is made for each.
constexpr std::size_t kMostPlaces = 16;

/// Returns whether all endpoints have the same families.
bool are_alike(const HostPlan& host) {
  return std::ranges::all_of(host.candidates, [&](const Candidate& candidate) {
    const Candidate& first = host.candidates.front();
    return candidate.v4.has_value() == first.v4.has_value() && candidate.v6.has_value() == first.v6.has_value();
  });
}

/// Finds places of the host's own endpoints from where the closest endpoints lack a family that farther ones have.
void lint_families(const LintScene& scene, const HostPlan& host, Findings& out) {
  if (host.policy.families == model::Families::Independent || are_alike(host)) return;
  std::set<model::Locality> places;
  for (const Candidate& candidate : host.candidates) {
    model::Locality place = candidate.locality;
    place.node.clear();
    if (places.size() < kMostPlaces) places.insert(std::move(place));
  }
  for (const Family family : {Family::V4, Family::V6}) {
    std::vector<std::string> lacking;
    for (const model::Locality& place : places) {
      const Decision decision = decide(host, {place}, geography_of(scene.records));
      const auto has = [&](const Tier& tier) { return has_family(host, tier, family); };
      if (!decision.answer_tier || has(decision.tiers[*decision.answer_tier])) continue;
      if (std::ranges::any_of(decision.tiers, has)) lacking.push_back(place.text());
    }
    if (lacking.empty()) continue;
    const std::string type = family == Family::V4 ? "A" : "AAAA";
    const std::size_t others = lacking.size() - 1;
    out.push_back({kPolicy + "families", Severity::Advice,
                   "clients in " + lacking.front() + (others == 0 ? "" : " and " + counted(others, "other place")) +
                       " get no " + type + ": the closest endpoints have no " + (type == "A" ? "IPv4" : "IPv6") +
                       " address, others have one; families: independent lets each family have its own tier"});
  }
}

}  // namespace

std::string indexed(const std::string& path, std::size_t index) { return path + "[" + std::to_string(index) + "]"; }

void lint_name(const LintScene& scene, Part part, const std::string& name, const std::string& path, Findings& out) {
  if (auto problem = scene.names.problem_of(part, name); !problem.empty()) {
    out.push_back({path, Severity::Warning, std::move(problem)});
  } else if (auto spelling = scene.names.spelling_of(part, name); !spelling.empty()) {
    out.push_back({path, Severity::Advice, std::move(spelling)});
  }
}

void lint_places(const LintScene& scene, const model::Locality& selector, const std::string& path, Findings& out) {
  for (const Part part : model::kParts) {
    lint_name(scene, part, selector.part(part), path + "." + std::string(part_name(part)), out);
  }
}

void lint_policy(const LintScene& scene, const HostPlan& host, Findings& out) {
  lint_ladder(host.policy, out);
  lint_fence(scene, host, out);
  lint_failover(scene, host, out);
  lint_groups(host, out);
  lint_distribute(scene, host.policy, out);
  lint_draws(scene, host.policy, out);
  lint_slow_start(host.policy, out);
  lint_size(host, out);
  lint_families(scene, host, out);
}

}  // namespace meshdns::topology
