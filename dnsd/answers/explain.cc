#include "dnsd/answers/explain.h"

#include "common/base/text.h"
#include "common/time/duration_text.h"

namespace meshdns::answers {
namespace {

std::string tier_head(const topology::Tier& tier) {
  std::string text = "tier " + std::to_string(tier.number) + " " + tier.rung;
  if (tier.split) text += tier.cluster.empty() ? " no cluster" : " " + tier.cluster;
  if (tier.distance) text += " (" + duration_text(*tier.distance) + ")";
  return text + " load " + std::to_string(tier.load) + "%: ";
}

ExplainLine tier_line(const topology::HostPlan& host, const topology::Tier& tier) {
  ExplainLine line;
  std::string text = tier_head(tier);
  for (const std::uint32_t member : tier.members) {
    const topology::Candidate& candidate = host.candidates[member];
    if (member != tier.members.front()) text += " | ";
    line.push_back({text + candidate.address_text() + " " + state_word(candidate.standing) + " ", candidate.since});
    const std::string why = why_text(candidate);
    text = why.empty() ? "" : ", " + why;
    if (candidate.weight == 0) text += ", standby";
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

}  // namespace

std::string policy_text(const model::Policy& policy) {
  std::string text = "default ladder";
  if (policy.ladder != model::default_ladder()) {
    std::vector<std::string> rungs;
    for (const model::Rung& rung : policy.ladder) rungs.push_back(rung.name);
    text = "ladder " + join(rungs, " > ");
  }
  return text + ", no fence, no spill";
}

std::string state_word(topology::Standing standing) {
  if (standing == topology::Standing::Serving) return "serving";
  return standing == topology::Standing::Out ? "out" : "last_resort";
}

std::string why_text(const topology::Candidate& candidate) {
  if (candidate.standing != topology::Standing::Draining) return candidate.why;
  return candidate.why.empty() ? "draining" : "draining, " + candidate.why;
}

std::string ttl_text(const topology::HostPlan& host, const topology::Decision& decision) {
  const std::string ttl = duration_text(decision.ttl);
  return decision.in_doubt ? ttl + ": " + doubt_of(host.candidates[*decision.in_doubt]) : ttl;
}

std::string emptiness_text(topology::Emptiness emptiness) {
  switch (emptiness) {
    case topology::Emptiness::None: return "";
    case topology::Emptiness::NoEndpoint: return "no endpoint that has succeeded so far matches a rung";
    case topology::Emptiness::NothingServes: return "nothing serves, and onEmpty is NoData";
    case topology::Emptiness::Unlocated: return "the client's locality is not known, and the ladder has no rung any";
  }
  return "";
}

std::string note_text(const topology::HostPlan& host, const topology::Decision& decision) {
  if (!decision.answer_tier) return emptiness_text(decision.emptiness);
  const topology::Tier& tier = decision.tiers[*decision.answer_tier];
  std::vector<std::string> notes;
  if (tier.number > 0 && !decision.last_resort()) {
    std::vector<std::string> closer;
    for (const topology::Tier& entry : decision.tiers) {
      if (entry.number >= tier.number) break;
      closer.push_back(entry.split ? entry.rung + " " + entry.cluster : entry.rung);
    }
    notes.push_back("tier " + std::to_string(tier.number) + " of 0-" + std::to_string(decision.tiers.back().number) +
                    ": nothing serving in " + join(closer, ", "));
  }
  if (decision.last_resort()) {
    notes.push_back("last-resort: nothing serves, answering what is " + std::string(standing_name(decision.kind)));
  }
  if (tier.answering.size() > host.policy.max_answers) {
    notes.push_back(std::to_string(host.policy.max_answers) + " of " + std::to_string(tier.answering.size()));
  }
  return join(notes, "; ");
}

std::vector<ExplainLine> explain_lines(const topology::HostPlan& host, const topology::Decision& decision,
                                       const Version& version) {
  std::vector<ExplainLine> lines;
  const std::string policy = host.object.empty() ? "automatic host" : host.object;
  lines.push_back(
      {{"policy " + policy + ": " + policy_text(host.policy) + "; revision " + std::to_string(version.revision) + ", ",
        version.changed},
       {" old", std::nullopt}});
  for (const topology::Tier& tier : decision.tiers) lines.push_back(tier_line(host, tier));
  if (!decision.answer_tier)
    lines.push_back({{"nothing answered: " + emptiness_text(decision.emptiness), std::nullopt}});
  if (decision.last_resort()) {
    lines.push_back({{"last resort: nothing serves, answering what is " + std::string(standing_name(decision.kind)),
                      std::nullopt}});
  }
  lines.push_back({{"ttl " + ttl_text(host, decision), std::nullopt}});
  return lines;
}

}  // namespace meshdns::answers
