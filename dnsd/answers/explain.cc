#include "dnsd/answers/explain.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/time/duration_text.h"
#include "dnsd/answers/policy_text.h"
#include "dnsd/topology/gateways.h"

namespace meshdns::answers {
namespace {

/// The tier is of a cluster whose distance is not known, and so is another one of the same rung: a hash orders them.
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

ExplainLine tier_line(const Seat& seat, const topology::Decision& decision, const topology::Tier& tier) {
  ExplainLine line;
  std::string text = tier_head(decision, tier);
  for (const std::uint32_t member : tier.members) {
    const topology::Candidate& candidate = seat.host.candidates[member];
    if (member != tier.members.front()) text += " | ";
    text += candidate.address_text() + " " + state_word(decision.standings[member]);
    if (candidate.since != TimePoint{}) {
      line.push_back({text + " ", candidate.since});
      text.clear();
    }
    const std::string manner = manner_text(seat, decision, tier, member);
    const std::string why = why_text(candidate, decision.blocked(seat.host, member));
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

/// What the most advanced serving endpoint of a tier has of its weight.
std::uint32_t best_start(const topology::HostPlan& host, const topology::Decision& decision,
                         const topology::Tier& tier) {
  std::uint32_t best = 1;
  for (const std::uint32_t member : tier.members) {
    const bool serving = decision.standings[member] == topology::Standing::Serving;
    if (serving) best = std::max<std::uint32_t>(best, host.candidates[member].start);
  }
  return best;
}

std::string gateways_text(const topology::Route& route) {
  std::vector<std::string> addresses;
  for (const model::Gateway* gateway : route.gateways) addresses.push_back(gateway->address.text());
  return (addresses.size() == 1 ? "via gateway " : "via gateways ") + join(addresses, ", ");
}

/// The tiers that were passed over, and why that is: nothing in them serves.
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

std::string manner_text(const Seat& seat, const topology::Decision& decision, const topology::Tier& tier,
                        std::uint32_t member) {
  const topology::Candidate& candidate = seat.host.candidates[member];
  std::vector<std::string> words;
  const std::uint32_t start = candidate.start * 100U / best_start(seat.host, decision, tier);
  if (decision.standings[member] == topology::Standing::Serving && start < 100 && !tier.panic) {
    words.push_back("slow-start " + std::to_string(start) + "%");
  }
  if (candidate.weight == 0) words.emplace_back("standby");
  const topology::Route route = topology::route_to(seat.geography, seat.client, candidate.locality);
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

std::string_view emptiness_text(topology::Emptiness emptiness) {
  switch (emptiness) {
    case topology::Emptiness::None: return "";
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

std::string note_text(const topology::HostPlan& host, const topology::Decision& decision) {
  if (!decision.answer_tier) return std::string(emptiness_text(decision.emptiness));
  std::vector<std::string> notes;
  const auto add = [&notes](std::string note) {
    if (!note.empty()) notes.push_back(std::move(note));
  };
  if (decision.last_resort()) {
    add("last-resort: nothing serves, answering what is " + std::string(standing_name(decision.kind)));
  } else {
    add(passed_over_note(decision));
    if (!decision.distributed || decision.panic != 0) add(spread_note(decision));
  }
  const std::size_t targets = decision.tiers[*decision.answer_tier].targets();
  if (targets > host.policy.max_answers) {
    add(std::to_string(host.policy.max_answers) + " of " + std::to_string(targets));
  }
  return join(notes, "; ");
}

std::vector<ExplainLine> explain_lines(const Seat& seat, const topology::Decision& decision, const Version& version) {
  const topology::HostPlan& host = seat.host;
  std::vector<ExplainLine> lines;
  const std::string policy = host.object.empty() ? "automatic host" : host.object;
  lines.push_back(
      {{"policy " + policy + ": " + policy_text(host.policy) + "; revision " + std::to_string(version.revision) + ", ",
        version.changed},
       {" old", std::nullopt}});
  if (!version.frozen.empty()) lines.push_back({{"frozen " + version.frozen, std::nullopt}});
  for (const topology::Tier& tier : decision.tiers) lines.push_back(tier_line(seat, decision, tier));
  if (!decision.answer_tier)
    lines.push_back({{"nothing answered: " + std::string(emptiness_text(decision.emptiness)), std::nullopt}});
  if (decision.last_resort()) {
    lines.push_back({{"last resort: nothing serves, answering what is " + std::string(standing_name(decision.kind)),
                      std::nullopt}});
  }
  lines.push_back({{"ttl " + ttl_text(host, decision), std::nullopt}});
  return lines;
}

}  // namespace meshdns::answers
