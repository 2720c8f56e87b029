#include "dnsd/answers/explain.h"

#include <algorithm>
#include <map>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "dnsd/answers/policy_text.h"
#include "dnsd/topology/families.h"
#include "dnsd/topology/gateways.h"

namespace meshdns::answers {
namespace {

/// Returns whether a hash orders the tier's cluster: neither its distance nor that of another cluster of the rung is
/// known.
bool is_drawn_by_hash(const topology::Decision& decision, const topology::Tier& tier) {
  const auto unknown = [&](const topology::Tier& other) {
    return other.split && !other.distance && !other.cluster.empty() && other.rung == tier.rung &&
           other.part == tier.part;
  };
  return unknown(tier) && std::ranges::count_if(decision.tiers, unknown) > 1;
}

std::string tier_head(const topology::Decision& decision, const topology::Tier& tier) {
  std::string text = "tier " + std::to_string(tier.number) + " " + tier_name(tier);
  if (tier.distance) text += " (" + duration_text(*tier.distance) + ")";
  if (is_drawn_by_hash(decision, tier)) text += " (no distance known)";
  return text + " load " + std::to_string(tier.load) + "%" + (tier.panic ? " panic: " : ": ");
}

// The length of a line of `_explain`; the text that counts endpoints left out may exceed it.
constexpr std::size_t kMostOfLine = 1600;
constexpr std::size_t kLongestAge = 8;

ExplainLine tier_line(const HostView& view, const topology::Decision& decision, const topology::Tier& tier) {
  ExplainLine line;
  std::string text = tier_head(decision, tier);
  const TierText of_tier(view, decision, tier);
  std::size_t used = 0;  // bytes in the finished pieces
  for (std::size_t i = 0; i < tier.members.size(); ++i) {
    const std::uint32_t member = tier.members[i];
    const topology::Candidate& candidate = view.host.candidates[member];
    if (i > 0 && used + text.size() > kMostOfLine) {
      text += " and " + std::to_string(tier.members.size() - i) + " more";
      break;
    }
    if (i > 0) text += " | ";
    text += candidate.address_text() + " " + state_word(decision.standings[member]);
    if (candidate.since != TimePoint{}) {
      used += text.size() + kLongestAge;
      line.push_back({text + " ", candidate.since});
      text.clear();
    }
    const std::string manner = of_tier.manner(member);
    const std::string why = why_text(candidate, decision.blocked(view.host, member));
    text += (manner.empty() ? "" : " " + manner) + (why.empty() ? "" : ", " + why);
  }
  if (!text.empty()) line.push_back({text, std::nullopt});
  return line;
}

std::string doubt_of(const topology::Candidate& candidate) {
  const IpAddress address = candidate.v4 ? *candidate.v4 : candidate.v6.value_or(IpAddress{});
  const bool serving = candidate.standing == topology::Standing::Serving;
  return address.text() + (serving ? " is in doubt" : " could come back") +
         (candidate.why.empty() ? "" : " (" + candidate.why + ")");
}

std::string gateways_text(const topology::Route& route) {
  std::vector<std::string> addresses;
  for (const model::Gateway* gateway : route.gateways) addresses.push_back(gateway->address.text());
  return (addresses.size() == 1 ? "via gateway " : "via gateways ") + join(addresses, ", ");
}

/// Returns which closer tiers are passed over because nothing in them serves.
std::string passed_over_note(const topology::Decision& decision) {
  std::vector<std::string> closer;
  for (const topology::Tier& tier : decision.tiers) {
    if (tier.number >= *decision.answer_tier) break;
    if (tier.health == 0) closer.push_back(tier_name(tier));
  }
  if (closer.empty()) return "";
  return "tier " + std::to_string(*decision.answer_tier) + " of 0-" + std::to_string(decision.tiers.back().number) +
         ": nothing serving in " + join(closer, ", ");
}

std::string spread_note(const topology::Decision& decision) {
  std::vector<std::string> loads;
  std::vector<std::string> panics;
  for (const topology::Tier& tier : decision.tiers) {
    const std::string name = "tier " + std::to_string(tier.number);
    if (tier.load > 0) loads.push_back(name + " " + std::to_string(tier.load) + "%");
    if (tier.panic) panics.push_back(name);
  }
  std::string text = loads.size() > 1 ? "spread: " + join(loads, ", ") : "";
  if (!panics.empty()) text += (text.empty() ? "" : "; ") + ("panic: " + join(panics, ", "));
  return text;
}

}  // namespace

std::string tier_name(const topology::Tier& tier) {
  std::string text = tier.part.empty() ? tier.rung : tier.part + ", " + tier.rung;
  if (tier.split) text += tier.cluster.empty() ? " no cluster" : " " + tier.cluster;
  return text;
}

std::string state_word(topology::Standing standing) {
  if (standing == topology::Standing::Serving) return "serving";
  return standing == topology::Standing::Out ? "out" : "last_resort";
}

TierText::TierText(const HostView& view, const topology::Decision& decision, const topology::Tier& tier)
    : view_(view), decision_(decision), tier_(tier) {
  for (const std::uint32_t member : tier.members) {
    const bool serving = decision.standings[member] == topology::Standing::Serving;
    if (serving) best_start_ = std::max<std::uint32_t>(best_start_, view.host.candidates[member].start);
  }
}

std::string TierText::manner(std::uint32_t member) const {
  const topology::Candidate& candidate = view_.host.candidates[member];
  std::vector<std::string> words;
  const std::uint32_t start = candidate.start * 100U / best_start_;
  if (decision_.standings[member] == topology::Standing::Serving && start < 100 && !tier_.panic) {
    words.push_back("slow-start " + std::to_string(start) + "%");
  }
  if (candidate.weight == 0) words.emplace_back("standby");
  const topology::Route route = topology::route_to(view_.geography, view_.client, candidate.locality);
  if (route.kind == topology::Route::Kind::Gateway) words.push_back(gateways_text(route));
  return join(words, ", ");
}

std::string distance_advice(const model::Locality& client, const topology::Decision& decision) {
  std::vector<std::string> clusters;
  for (const topology::Tier& tier : decision.tiers) {
    const bool told = std::ranges::find(clusters, tier.cluster) != clusters.end();
    if (is_drawn_by_hash(decision, tier) && !told) clusters.push_back(tier.cluster);
  }
  if (clusters.empty()) return "";
  const std::string from =
      client.cluster.empty() ? ", for the client's cluster is not known" : " from " + client.cluster;
  return "no distance known" + from + ": the order of " + join(clusters, ", ") +
         " is drawn for this host and cluster, alike on every server";
}

std::string why_text(const topology::Candidate& candidate, bool blocked) {
  std::string why = candidate.why;
  if (candidate.standing == topology::Standing::Draining) why = why.empty() ? "draining" : "draining, " + why;
  if (!blocked) return why;
  return why.empty() ? "its gateways are down" : "its gateways are down, " + why;
}

std::string ttl_text(const topology::HostPlan& host, const topology::Decision& decision) {
  const std::string ttl = duration_text(decision.ttl);
  return decision.in_doubt ? ttl + ": " + doubt_of(host.candidates[*decision.in_doubt]) : ttl;
}

std::string unexported_text(const HostView& view) {
  constexpr std::size_t kMostClusters = 8;
  std::map<std::string, std::size_t, NameLess> counts;
  for (const topology::Candidate& candidate : view.host.candidates) {
    if (!topology::is_seen(view.client, candidate)) ++counts[candidate.locality.cluster];
  }
  std::vector<std::string> texts;
  for (const auto& [cluster, count] : counts) {
    if (texts.size() == kMostClusters) break;
    const std::string what = texts.empty() ? counted(count, "endpoint") : std::to_string(count);
    texts.push_back(what + " of " + (cluster.empty() ? "no cluster" : cluster));
  }
  if (counts.size() > texts.size()) texts.push_back("more of " + counted(counts.size() - texts.size(), "cluster"));
  return texts.empty() ? "" : "not exported: " + join(texts, ", ");
}

std::string_view emptiness_text(topology::Emptiness emptiness) {
  switch (emptiness) {
    case topology::Emptiness::None: return "";
    case topology::Emptiness::NotExported: return "no endpoint is exported to the client's cluster";
    case topology::Emptiness::NoEndpoint: return "no endpoint that has succeeded so far matches a rung";
    case topology::Emptiness::NothingServes: return "nothing serves, and onEmpty is NoData";
    case topology::Emptiness::ForcedDown: return "all that there is was forced down by operators";
    case topology::Emptiness::Unlocated: return "the client's locality is not known, and the ladder has no rung any";
    case topology::Emptiness::Fenced: return "no endpoint is inside the fence";
    case topology::Emptiness::FenceUnknown:
      return "the fence is around a part of the client's locality that is not known";
  }
  return "";
}

std::vector<std::string> note_texts(const topology::Decision& decision) {
  std::vector<std::string> notes;
  if (!decision.answer_tier) {
    notes.emplace_back(emptiness_text(decision.emptiness));
  } else if (decision.last_resort()) {
    notes.push_back("last-resort: nothing serves, answering what is " + std::string(standing_name(decision.kind)));
  } else {
    notes.push_back(passed_over_note(decision));
    if (!decision.distributed || decision.panic != 0) notes.push_back(spread_note(decision));
  }
  std::erase(notes, "");
  return notes;
}

std::string cap_text(const topology::HostPlan& host, const topology::Decision& decision, bool may_repeat) {
  if (!decision.answer_tier) return "";
  const std::size_t most = host.policy.most_addresses();
  std::size_t addresses = 0;
  for (const topology::Tier& tier : decision.tiers) {
    const bool used = tier.load > 0 || host.policy.families == model::Families::Independent;
    if (!used || tier.targets() <= most) continue;
    for (const auto family : {Family::V4, Family::V6}) {
      addresses = std::max(addresses, topology::count_addresses(host, tier, family, may_repeat));
    }
  }
  return addresses > most ? std::to_string(most) + " of " + std::to_string(addresses) : "";
}

std::string note_text(const topology::HostPlan& host, const topology::Decision& decision) {
  std::vector<std::string> notes = note_texts(decision);
  notes.push_back(cap_text(host, decision));
  std::erase(notes, "");
  return join(notes, "; ");
}

std::vector<std::string> family_texts(const topology::HostPlan& host, const topology::Decision& decision) {
  std::vector<std::string> out;
  for (const auto family : {Family::V4, Family::V6}) {
    const auto has = [&](const topology::Tier& tier) { return topology::has_family(host, tier, family); };
    if (std::ranges::none_of(decision.tiers, has)) continue;
    const bool v4 = family == Family::V4;
    for (const topology::Tier& tier : decision.tiers) {
      if (tier.load == 0 || has(tier)) continue;
      const auto other = topology::family_tier(host, decision, tier.number, family);
      const std::string from = other ? "from tier " + std::to_string(*other) + " " + tier_name(decision.tiers[*other])
                                     : std::string("nothing");
      const bool independent = host.policy.families == model::Families::Independent;
      const std::string why = independent ? "families independent" : other ? "its own fail" : "families together";
      out.push_back((v4 ? "A of tier " : "AAAA of tier ") + std::to_string(tier.number) + ": " + from +
                    ", it has no IPv" + (v4 ? "4" : "6") + " address (" + why + ")");
    }
  }
  return out;
}

std::vector<ExplainLine> explain_lines(const HostView& view, const topology::Decision& decision,
                                       const Version& version) {
  const topology::HostPlan& host = view.host;
  std::vector<ExplainLine> lines;
  const std::string policy = host.object.empty() ? "automatic host" : host.object;
  lines.push_back(
      {{"policy " + policy + ": " + policy_text(host.policy) + "; revision " + std::to_string(version.revision) + ", ",
        version.changed},
       {" old", std::nullopt}});
  if (!version.frozen.empty()) lines.push_back({{"frozen " + version.frozen, std::nullopt}});
  for (const topology::Tier& tier : decision.tiers) lines.push_back(tier_line(view, decision, tier));
  if (std::string text = unexported_text(view); !text.empty()) lines.push_back({{std::move(text), std::nullopt}});
  if (!decision.answer_tier)
    lines.push_back({{"nothing answered: " + std::string(emptiness_text(decision.emptiness)), std::nullopt}});
  if (decision.last_resort()) {
    lines.push_back({{"last resort: nothing serves, answering what is " + std::string(standing_name(decision.kind)),
                      std::nullopt}});
  }
  for (std::string& text : family_texts(host, decision)) lines.push_back({{std::move(text), std::nullopt}});
  lines.push_back({{"ttl " + ttl_text(host, decision), std::nullopt}});
  return lines;
}

}  // namespace meshdns::answers
